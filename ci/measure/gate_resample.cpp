// SPDX-License-Identifier: Apache-2.0
// How often the gate cries wolf and how often it finds a slow-down, by real runs of one build: two
// sides are dealt from them by chance, again and again, as they are and with one side slowed down.
// Prints one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "harness/gate/exact_ranks.h"
#include "harness/gate/gate.h"
#include "harness/gate/rate_bound.h"

namespace {

using namespace stallproof;
using Runs = std::vector<GatedRun>;
using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> runs;
  std::size_t rounds = 5000;
  double slowdown = 0.05;
};

class Resampling {
 public:
  Resampling(Runs runs, const Options& options) : runs_(std::move(runs)), options_(options) {}

  // The share of comparisons of one build with itself that end in a regression.
  double false_alarms(std::size_t side) {
    std::size_t alarms = 0;
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      deal(side);
      alarms += compare().changed(Change::worse).empty() ? 0U : 1U;
    }
    return share(alarms);
  }

  // The share of comparisons in which a slow-down of this load's throughput is found as such.
  double found(const std::string& load, std::size_t side) {
    std::size_t times = 0;
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      deal(side);
      for (GatedRun& run : after_) run.rates[load] *= 1 - options_.slowdown;
      for (const MetricChange* change : compare().changed(Change::worse))
        if (change->values.load == load && change->values.metric == "throughput") ++times;
    }
    return share(times);
  }

  [[nodiscard]] std::vector<double> rates(const std::string& load) const {
    std::vector<double> values;
    for (const GatedRun& run : runs_)
      if (const auto rate = run.rates.find(load); rate != run.rates.end())
        values.push_back(rate->second);
    return values;
  }

 private:
  [[nodiscard]] double share(std::size_t times) const {
    return static_cast<double>(times) / static_cast<double>(options_.rounds);
  }

  void deal(std::size_t side) {
    std::vector<std::size_t> order(runs_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random_);
    before_.clear();
    after_.clear();
    for (std::size_t i = 0; i < side; ++i) {
      before_.push_back(runs_[order[2 * i]]);
      after_.push_back(runs_[order[2 * i + 1]]);
    }
  }

  [[nodiscard]] GateReport compare() const {
    GateReport report;
    const auto judged = judge_baseline(after_, before_, {}, report);
    if (!judged) throw std::runtime_error(judged.error().what);
    return report;
  }

  Runs runs_, before_, after_;
  Options options_;
  std::mt19937_64 random_{7};
};

Runs gather(const std::vector<std::string>& words) {
  Runs runs;
  for (const std::string& word : words) {
    auto run = gather_run(word);
    if (!run) throw std::runtime_error(run.error().what);
    if (!run->stored.verdict) throw std::runtime_error(word + ": unfinished");
    gather_rates(*run);
    if (!run->rates_problem.empty()) throw std::runtime_error(run->rates_problem);
    runs.push_back(std::move(*run));
  }
  return runs;
}

Json measure(const Options& options) {
  Runs runs = gather(options.runs);
  // One whole gate says that they can be compared; then the plan, equal everywhere, is dropped, as
  // it would be read again for each comparison.
  const auto whole = judge_gate(Runs(runs.begin() + 1, runs.end()), {runs.front()}, {});
  if (!whole) throw std::runtime_error(whole.error().what);
  std::set<std::string> loads;
  for (GatedRun& run : runs) {
    run.stored.plan.clear();
    for (const auto& [load, entry] : run.stored.verdict->workloads) loads.insert(load);
  }
  Resampling resampling(std::move(runs), options);
  Json rows = Json::array();
  for (const std::string& load : loads) {
    const std::vector<double> rates = resampling.rates(load);
    const double variation = variation_of(rates);
    // More than twelve a side take minutes to count; then only five are tried.
    const std::size_t needed = runs_needed(variation);
    const bool is_cheap = needed <= std::min<std::size_t>(12, options.runs.size() / 2);
    const std::size_t side = is_cheap ? needed : kLeastRunsCompared;
    rows.push_back({{"load", load},
                    {"runs", rates.size()},
                    {"median", median_of(rates)},
                    {"cv", variation},
                    {"found_with_5", resampling.found(load, kLeastRunsCompared)},
                    {"runs_needed", needed},
                    {"side", side},
                    {"found_with_side", resampling.found(load, side)}});
  }
  return {{"runs", options.runs.size()},
          {"comparisons", options.rounds},
          {"slowdown", options.slowdown},
          {"false_alarms", resampling.false_alarms(kLeastRunsCompared)},
          {"loads", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"False alarms and power of the gate, by real runs", "gate_resample"};
  Options options;
  app.add_option("RUN", options.runs, "Run directories of one build")->required();
  app.add_option("--rounds", options.rounds, "Comparisons of each kind");
  app.add_option("--slowdown", options.slowdown, "To be found, as a share");
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.runs.size() < 2 * kLeastRunsCompared)
      throw std::runtime_error("at least 10 runs are needed");
    fmt::print("{}\n", measure(options).dump(2));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gate_resample: {}\n", error.what());
    return 2;
  }
}
