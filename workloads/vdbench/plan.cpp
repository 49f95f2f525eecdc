// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "workloads/io/java_random.h"
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

constexpr double kMostBurstSeconds = 3600;
constexpr std::size_t kMostSdsInARange = 1000;

Failure fault_of(const RunDefinition& rd, std::string_view what) {
  return fault_at(rd.place, fmt::format("rd={}: {}", rd.name, what));
}

// distribution=variable: iorate=(rate,seconds,rate,seconds…)
Result<> settle_rates(RunDefinition& rd) {
  if (!rd.bursts) {
    // The rates of a list are the innermost loop, wherever they stand.
    std::erase_if(rd.loops, [](const ForLoop& loop) { return loop.name == "iorate"; });
    if (!rd.rates.empty()) rd.loops.push_back({"iorate", rd.rates});
    return {};
  }
  if (rd.rates.empty() || rd.rates.size() % 2 != 0)
    return fault_of(rd, "distribution=variable needs iorate=(rate,seconds,rate,seconds)");
  double seconds = 0;
  rd.iorate = 0;
  for (std::size_t i = 0; i < rd.rates.size(); i += 2) {
    seconds += rd.rates[i + 1];
    rd.iorate = std::max(rd.iorate, rd.rates[i]);
  }
  if (seconds > kMostBurstSeconds) return fault_of(rd, "more than 3600 seconds of variable rates");
  if (rd.iorate == kMaxRate) return fault_of(rd, "a variable rate cannot be max");
  return {};
}

Result<> check_times(const RunDefinition& rd, bool file_systems) {
  if (rd.interval < 1 || rd.elapsed / rd.interval < 2)
    return fault_of(rd, "elapsed= must be at least twice the interval=");
  if (file_systems && rd.iorate != 0)
    return fault_of(rd, "a file system run has a fwdrate=, no iorate=");
  if (file_systems && rd.fwdrate == 0) return fault_of(rd, "no fwdrate=");
  if (std::fmod(rd.elapsed, rd.interval) != 0)
    return fault_of(rd, fmt::format("elapsed={:.0f} is no multiple of interval={:.0f}", rd.elapsed,
                                    rd.interval));
  if (std::fmod(rd.warmup, rd.interval) != 0)
    return fault_of(
        rd, fmt::format("warmup={:.0f} is no multiple of interval={:.0f}", rd.warmup, rd.interval));
  return {};
}

std::vector<std::string> shuffled_names(const std::vector<StorageDefinition>& sds) {
  std::vector<std::string> names;
  for (const StorageDefinition& sd : sds) names.push_back(sd.name);
  JavaRandom random(0);
  const auto size = static_cast<std::int32_t>(names.size());
  for (std::int32_t i = 0; i < size * 8; ++i) {
    const auto a = static_cast<std::size_t>(random.below(size));
    const auto b = static_cast<std::size_t>(random.below(size));
    std::swap(names[a], names[b]);
  }
  return names;
}

void add_sets(std::vector<RunDefinition>& runs, const RunDefinition& rd, std::size_t set,
              const std::vector<std::string>& names) {
  for (std::size_t begin = 0; begin < names.size(); begin += set) {
    RunDefinition copy = rd;
    copy.sds = Names();
    for (std::size_t i = begin; i < std::min(begin + set, names.size()); ++i) {
      copy.sds->push_back(names[i]);
      copy.name += "_" + names[i];
    }
    runs.push_back(std::move(copy));
  }
}

Result<> add_growing_ranges(std::vector<RunDefinition>& runs, const RunDefinition& rd,
                            const std::vector<StorageDefinition>& sds) {
  if (sds.size() > kMostSdsInARange)
    return fault_of(rd, fmt::format("sd=range over more than {} SDs", kMostSdsInARange));
  Names names;
  for (const StorageDefinition& sd : sds) {
    names.push_back(sd.name);
    RunDefinition copy = rd;
    copy.sds = names;
    copy.name += fmt::format("_{}-{}", sds.front().name, sd.name);
    runs.push_back(std::move(copy));
  }
  return {};
}

// 0: no set is asked for.
Result<std::size_t> size_of_sets(const RunDefinition& rd) {
  if (!rd.sds || rd.sds->size() != 1) return std::size_t{0};
  const std::string& word = rd.sds->front();
  if (word == "single") return std::size_t{1};
  if (!word.starts_with("setsof")) return std::size_t{0};
  const std::string digits = word.substr(6);
  if (digits.empty() || digits.size() > 6 ||
      digits.find_first_not_of("0123456789") != std::string::npos || std::stoul(digits) == 0)
    return fault_of(rd, fmt::format("sd={}: sets of how many?", word));
  return std::stoul(digits);
}

std::string joined_loops(const std::vector<LoopValue>& loops) {
  std::string text;
  for (const LoopValue& loop : loops) text += loop.name + " ";
  return text;
}

}  // namespace

Result<> settle_times(ParameterSet& all, const PlanOptions& options) {
  for (RunDefinition& rd : all.runs) {
    if (rd.format.once && rd.loops.empty())
      return fault_of(rd, "format=once is for runs with a loop (for…=)");
    if (auto settled = settle_rates(rd); !settled) return settled;
    rd.elapsed = options.elapsed.value_or(rd.elapsed);
    rd.interval = options.interval.value_or(rd.interval);
    rd.warmup = options.warmup.value_or(rd.warmup);
    if (rd.interval == 0) rd.interval = std::min(std::trunc(rd.elapsed / 2), 60.0);
    if (auto good = check_times(rd, all.file_systems); !good) return good;
  }
  return {};
}

Result<> repeat_for_sd_sets(ParameterSet& all) {
  std::vector<RunDefinition> runs;
  for (const RunDefinition& rd : all.runs) {
    const auto set = size_of_sets(rd);
    if (!set) return Failure(set.error());
    if (*set == 1) {
      Names names;
      for (const StorageDefinition& sd : all.sds) names.push_back(sd.name);
      add_sets(runs, rd, 1, names);
    } else if (*set > 1) {
      add_sets(runs, rd, *set, shuffled_names(all.sds));
    } else if (rd.sds && *rd.sds == Names{"range"}) {
      if (auto added = add_growing_ranges(runs, rd, all.sds); !added) return added;
    } else {
      runs.push_back(rd);
    }
  }
  all.runs = std::move(runs);
  return {};
}

Result<std::vector<std::vector<LoopValue>>> combinations(const RunDefinition& rd) {
  std::vector<std::vector<LoopValue>> out = {{}};
  for (const ForLoop& loop : rd.loops) {
    if (out.size() * loop.values.size() > kMostRuns)
      return fault_of(rd, fmt::format("the loops {}{} make more than {} runs",
                                      joined_loops(out.front()), loop.name, kMostRuns));
    std::vector<std::vector<LoopValue>> next;
    for (const auto& outer : out)
      for (const double value : loop.values) {
        next.push_back(outer);
        next.back().push_back({loop.name, value});
      }
    out = std::move(next);
  }
  return out;
}

double value_of(const std::vector<LoopValue>& loops, const std::string& name) {
  for (const LoopValue& loop : loops)
    if (loop.name == name) return loop.value;
  return std::numeric_limits<double>::quiet_NaN();
}

PlannedRun begin_run(const RunDefinition& rd, std::vector<LoopValue> loops) {
  return {.name = rd.name,
          .elapsed = rd.elapsed,
          .warmup = rd.warmup,
          .loops = std::move(loops),
          .place = rd.place};
}

double rate_of_percentage(double percent) {
  const double rate = std::trunc(kAssumedMaximum * std::trunc(percent) / 100);
  const double step = rate > 1000 ? 100 : 10;
  return std::ceil(rate / step) * step;
}

Result<> add_curve(std::vector<PlannedRun>& runs, const RunDefinition& rd, bool file_systems) {
  const PlannedRun maximum = runs.back();
  for (const double percent : rd.curve) {
    PlannedRun point = maximum;
    point.name += fmt::format("_({:.0f}%)", std::trunc(percent));
    point.curve_percent = percent;
    if (!file_systems) point.rate = rate_of_percentage(percent);
    runs.push_back(std::move(point));
  }
  return {};
}

Result<Plan> plan_parameter_files(const std::vector<std::string>& files,
                                  const std::vector<std::string>& words,
                                  const PlanOptions& options) {
  auto all = read_parameter_set(files, words, options);
  if (!all) return Failure(all.error());
  if (auto settled = settle_times(*all, options); !settled) return Failure(settled.error());
  if (auto repeated = repeat_for_sd_sets(*all); !repeated) return Failure(repeated.error());
  auto runs = all->file_systems ? plan_file_runs(*all) : plan_raw_runs(*all);
  if (!runs) return Failure(runs.error());
  Plan plan{.file_systems = all->file_systems, .runs = std::move(*runs)};
  for (const std::string& keyword : all->general.ignored)
    if (std::find(plan.ignored.begin(), plan.ignored.end(), keyword) == plan.ignored.end())
      plan.ignored.push_back(keyword);
  plan.set = std::move(*all);
  return plan;
}

}  // namespace stallproof
