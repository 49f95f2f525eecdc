// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/repro_from.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/base/signals.h"
#include "harness/cmd/exit_codes.h"
#include "harness/cmd/reported_stall.h"
#include "harness/cmd/repro_from_text.h"
#include "harness/cmd/stdout_text.h"
#include "harness/explain/explanation_read.h"
#include "harness/run/smallest.h"
#include "harness/scenario/catalogue.h"
#include "harness/scenario/signature_match.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr Nanos kOneRunWithin = 120 * kSecond;  // beside its warm-up and its deadline
constexpr Nanos kTrialDeadline = 3 * kSecond;   // armed
constexpr const char* kTrialWarmup = "200ms";
constexpr unsigned kTries = 2;
constexpr std::uint64_t kMostThreads = 64;

bool counts_threads(std::string_view parameter) {
  return parameter == "threads" || parameter.ends_with("-threads");
}

bool has_parameter(const Scenario& scenario, std::string_view name) {
  return std::any_of(scenario.params.begin(), scenario.params.end(),
                     [name](const ScenarioParameter& each) { return each.name == name; });
}

// How many threads played each part, where the scenario has a number for it.
Settings threads_of(const Explanation& explanation, const Scenario& scenario) {
  std::map<std::string, std::uint64_t> counts;
  for (const ExplainedNode& node : explanation.nodes) {
    if (node.role == Role::queued_writer) ++counts["mprotect-threads"];
    const bool serves = std::any_of(explanation.edges.begin(), explanation.edges.end(),
                                    [&](const ExplainedEdge& edge) {
                                      return edge.kind == EdgeKind::served_by && edge.to == node.id;
                                    });
    if (serves || node.role == Role::service || node.role == Role::idle_service)
      ++counts["service-threads"];
    else if (node.role == Role::holder || node.role == Role::queued_reader)
      ++counts["fault-threads"];
  }
  Settings settings;
  for (const auto& [name, count] : counts)
    if (has_parameter(scenario, name))
      settings.set(name, fmt::format("{}", std::min(count, kMostThreads)));
  return settings;
}

// Seed, threads and rates of the run's plan, as far as the scenario knows and allows them.
void take_recorded(const Settings& load, const ScenarioMatch& match, Settings& params) {
  for (const auto& [name, value] : load.all()) {
    if (!has_parameter(*match.scenario, name)) continue;
    ScenarioRequest with{.variant = match.variant, .params = params};
    with.params.set(name, value);
    if (plan_scenario(*match.scenario, with)) params = with.params;
  }
}

// What a scenario may be told from others by: functions on stacks, and what they wait for.
std::vector<std::string> words_of(const Explanation& explanation) {
  std::vector<std::string> words;
  for (const ExplainedNode& node : explanation.nodes) {
    words.push_back(node.id);
    words.insert(words.end(), node.stack.begin(), node.stack.end());
  }
  return words;
}

// What it was made by, where that is known and makes such a stall; else the best match.
std::optional<ChosenScenario> choose(const ReportedStall& stall) {
  const auto matches = match_signature({.stall_class = stall.explanation.stall_class,
                                        .signature = stall.explanation.signature,
                                        .words = words_of(stall.explanation)});
  for (const ScenarioMatch& match : matches) {
    if (!stall.recorded || match.scenario->id != stall.recorded->scenario) continue;
    return ChosenScenario{match.scenario, stall.recorded->request, match.exact, true};
  }
  if (matches.empty()) return std::nullopt;
  const ScenarioMatch& best = matches.front();
  Settings params = threads_of(stall.explanation, *best.scenario);
  take_recorded(stall.load, best, params);
  for (const auto& [name, value] : best.params.all()) params.set(name, value);
  return ChosenScenario{
      best.scenario, {.variant = best.variant, .params = std::move(params)}, best.exact, false};
}

ReproOptions options_for(const ReproFromOptions& given, const ChosenScenario& chosen) {
  ReproOptions options = given.repro;
  options.scenario = std::string(chosen.scenario->id);
  ScenarioRequest request = chosen.request;
  if (!given.repro.request.variant.empty()) request.variant = given.repro.request.variant;
  for (const auto& [name, value] : given.repro.request.params.all())
    request.params.set(name, value);
  options.request = std::move(request);
  return options;
}

void send_output_nowhere() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
}

enum class Shown { all, on_stderr, nothing };

// The exit code of one reproduction in a child.
int reproduce(const ReproOptions& options, Shown shown) {
  const Nanos warmup = options.request.params.duration("warmup", 2 * kSecond).value_or(kSecond);
  const Deadline deadline = Deadline::in(kOneRunWithin + warmup + options.deadline.value_or(0));
  return run_bounded(
      [&] {
        if (shown == Shown::nothing) send_output_nowhere();
        if (shown == Shown::on_stderr) ::dup2(STDERR_FILENO, STDOUT_FILENO);
        Console console({.quiet = shown == Shown::nothing});
        const auto code = run_repro(options, console);
        if (code) return *code;
        say_on_stderr(code.error().what);
        return exit_code_of(code.error(), "repro");
      },
      deadline);
}

std::optional<Explanation> explanation_in(const std::string& run) {
  const auto text = read_file(run + "/incidents/001/explanation.json");
  if (!text) return std::nullopt;
  auto read = read_explanation_json(*text);
  if (!read) return std::nullopt;
  return std::move(*read);
}

// A trial counts when the same stall came, by its signature.
class Trials {
 public:
  Trials(ReproOptions options, std::string signature, std::string place, SignalWatch& signals,
         Nanos within)
      : options_(std::move(options)),
        signature_(std::move(signature)),
        place_(std::move(place)),
        signals_(signals),
        deadline_(Deadline::in(within)) {
    options_.deadline = std::max(kTrialDeadline, 2 * options_.thresholds.stall_after);
    options_.request.params.set("warmup", kTrialWarmup);
  }

  bool happens(const Numbers& numbers) {
    ReproOptions options = options_;
    for (const auto& [name, count] : numbers)
      options.request.params.set(name, fmt::format("{}", count));
    options.out = fmt::format("{}/trial-{:03}", place_, ++count_);
    reproduce(options, Shown::nothing);
    const auto explanation = explanation_in(options.out);
    return explanation && explanation->signature == signature_;
  }
  bool time_is_up() { return interrupted() || deadline_.passed(); }
  bool interrupted() {
    interrupted_ = interrupted_ || signals_.next().has_value();
    return interrupted_;
  }

 private:
  ReproOptions options_;
  std::string signature_, place_;
  SignalWatch& signals_;
  Deadline deadline_;
  unsigned count_ = 0;
  bool interrupted_ = false;
};

Numbers thread_numbers(const ChosenScenario& chosen, const Settings& params) {
  Numbers numbers;
  for (const ScenarioParameter& parameter : chosen.scenario->params) {
    const std::string name(parameter.name);
    if (!counts_threads(name)) continue;
    const std::uint64_t usual = std::stoull(std::string(parameter.fallback));
    numbers[name] = params.count(name, usual).value_or(usual);
  }
  return numbers;
}

// Loads without which the scenario can be run at all.
std::set<std::string> that_may_be_none(const ChosenScenario& chosen, const ReproOptions& options,
                                       const Numbers& numbers) {
  std::set<std::string> names;
  for (const auto& [name, count] : numbers) {
    ScenarioRequest without = options.request;
    without.params.set(name, "0");
    const auto plan = plan_scenario(*chosen.scenario, without);
    if (plan && plan->loads.size() > 0) names.insert(name);
  }
  return names;
}

Result<std::string> place_for(const std::string& out) {
  const std::string place = out.empty() ? fmt::format("{}/from/{}-{}", state_directory(),
                                                      realtime_now() / kSecond, ::getpid())
                                        : out;
  if (::access((place + "/reproduced").c_str(), F_OK) == 0)
    return fail(fmt::format("{}: holds an earlier result (give another -o)", place));
  if (auto made = make_directories(place); !made) return Failure(made.error());
  return place;
}

// A child that was given up or died tells an errno, which is no exit code of ours.
int code_without_stall(int code) { return code == 1 || code == 2 || code == 77 ? code : 3; }

int exit_code_for(const ReproFromResult& result) {
  if (!result.comparison) return code_without_stall(result.code);
  return made_again(result) && !result.interrupted ? 0 : 3;
}

}  // namespace

Result<int> run_repro_from(const ReproFromOptions& given) {
  const auto stall = read_reported_stall(given.files, given.repro.fs_files);
  if (!stall) return Failure(stall.error());
  ReproFromResult result{.stall = *stall};
  result.chosen = choose(*stall);
  if (!result.chosen)
    return fail(fmt::format("{}: no scenario makes a stall like {} (see stallproof list "
                            "signatures)",
                            stall->source, stall->explanation.signature),
                Origin::infra);
  ReproOptions options = options_for(given, *result.chosen);
  if (const auto plan = plan_scenario(*result.chosen->scenario, options.request))
    result.chosen->signatures = known_signatures(*plan);
  const auto place = place_for(given.repro.out);
  if (!place) return Failure(place.error());
  options.out = *place + "/reproduced";
  result.request = options.request;
  const Shown shown = given.json ? Shown::on_stderr : Shown::all;
  if (!given.json && !given.quiet) {
    if (auto told = write_stdout(heading_text(result)); !told) return Failure(told.error());
  }
  SignalWatch signals;
  result.run = options.out;
  result.code = reproduce(options, given.quiet ? Shown::nothing : shown);
  const auto explanation = explanation_in(options.out);
  if (explanation) {
    result.comparison = compare_explanations(stall->explanation, *explanation);
    result.reproduced_signature = explanation->signature;
  }
  const Numbers numbers = thread_numbers(*result.chosen, options.request.params);
  Trials trials(options, result.reproduced_signature, *place, signals, given.smallest_within);
  if (explanation && given.smallest_within > 0 && !numbers.empty())
    result.smallest = find_smallest(
        numbers, [&](const Numbers& each) { return trials.happens(each); },
        [&] { return trials.time_is_up(); }, kTries,
        that_may_be_none(*result.chosen, options, numbers));
  result.interrupted = trials.interrupted();
  const int code = exit_code_for(result);
  const std::string document = result_json(result, code);
  if (auto saved = write_file_atomically(*place + "/from.json", document); !saved)
    return Failure(saved.error());
  const auto told = write_stdout(given.json ? document : result_text(result, code));
  if (!told) return Failure(told.error());
  return code;
}

}  // namespace stallproof
