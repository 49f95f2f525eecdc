// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "harness/base/file.h"
#include "harness/base/prng.h"
#include "harness/base/toml_reader.h"
#include "harness/board/board.h"
#include "harness/run/plan/plan.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/plan_table.h"
#include "workloads/catalogue.h"
#include "workloads/work_order.h"

namespace stallproof {
namespace {

constexpr std::size_t kLoadNameLength = sizeof(LoadEntry{}.name) - 1;
constexpr std::size_t kPlanNameLength = 64;
constexpr std::uint64_t kLargestSeed = 0x7fff'ffff'ffff'ffffULL;
constexpr Nanos kShortestStall = 100 * kMillisecond;
constexpr Nanos kShortestPhase = 100 * kMillisecond;

bool is_name(const std::string& name, std::size_t most) {
  return !name.empty() && name.size() <= most &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

std::uint64_t drawn_seed() { return Prng::mix(realtime_now()) % 1'000'000'000 + 1; }

class PlanParser {
 public:
  PlanParser(const std::string& source, const PlanGiven& given) : problems_(source), given_(given) {
    plan_.name = std::filesystem::path(source).stem().string();
    plan_.seed = drawn_seed();
    plan_.seed_drawn = true;
  }

  Result<LoadPlan> parse(const toml::table& root) {
    TomlReader reader(root, "the plan", problems_);
    if (const toml::table* table = reader.table("plan")) read_head(*table);
    if (const toml::table* table = reader.table("thresholds"))
      read_limits(*table, "[thresholds]", plan_.limits);
    if (const toml::table* table = reader.table("canary")) read_canary(*table);
    if (const toml::table* table = reader.table("coordinate"))
      plan_.coordinate = read_coordinate(*table, problems_);
    if (const toml::table* table = reader.table("notify")) read_notify(*table);
    for (const toml::table* table : reader.tables("process")) read_process(*table);
    for (const toml::table* table : reader.tables("phase")) read_phase(*table);
    reader.refuse_unknown();
    if (plan_.processes.empty() && given_.has_loads)
      reader.problem("process", "there is no [[process]]");
    settle(reader);
    if (problems_.none()) return std::move(plan_);
    return fail(problems_.first());
  }

 private:
  void read_head(const toml::table& table);
  void read_limits(const toml::table& table, const char* heading, PlanLimits& limits);
  void read_canary(const toml::table& table);
  void read_notify(const toml::table& table);
  void read_process(const toml::table& table);
  void read_load(const toml::table& table, PlanProcess& process);
  void read_names(TomlReader& reader, const WorkloadInfo& info, PlanLoad& load);
  void read_path(TomlReader& reader, PlanLoad& load);
  void read_parameters(TomlReader& reader, const WorkloadInfo& info, PlanLoad& load);
  static void check_parameters(TomlReader& reader, const WorkloadInfo& info, const PlanLoad& load);
  void read_phase(const toml::table& table);
  void take_name(TomlReader& reader, std::set<std::string>& taken, std::size_t most,
                 std::string& name);
  static void read_times(TomlReader& reader, Nanos& start, Nanos& duration);
  void settle(TomlReader& root);

  TomlProblems problems_;
  PlanGiven given_;
  LoadPlan plan_;
  bool duration_given_ = false;
  std::uint64_t slots_ = 0;
  std::size_t loads_ = 0;
  std::set<std::string> process_names_, load_names_, phase_names_;
};

// Names are keys of verdicts, columns of series and words of errors.
void PlanParser::take_name(TomlReader& reader, std::set<std::string>& taken, std::size_t most,
                           std::string& name) {
  reader.text("name", name);
  if (!is_name(name, most))
    reader.problem("name",
                   fmt::format("'{}' is not 1 to {} of letters, digits and ._-", name, most));
  else if (!taken.insert(name).second)
    reader.problem("name", fmt::format("'{}' is taken already: give it another", name));
}

void PlanParser::read_head(const toml::table& table) {
  TomlReader reader(table, "[plan]", problems_);
  std::set<std::string> none;
  take_name(reader, none, kPlanNameLength, plan_.name);
  duration_given_ = reader.has("duration");
  reader.duration("duration", plan_.duration);
  if (plan_.duration == 0) reader.problem("duration", "is zero");
  reader.duration("warmup", plan_.warmup);
  plan_.seed_drawn = !reader.has("seed");
  reader.count("seed", 1, kLargestSeed, plan_.seed);
  reader.text("target", plan_.target);
  reader.size("size", plan_.size);
  reader.refuse_unknown();
}

void PlanParser::read_limits(const toml::table& table, const char* heading, PlanLimits& limits) {
  TomlReader reader(table, heading, problems_);
  Thresholds& thresholds = limits.thresholds;
  reader.duration("stall_after", thresholds.stall_after);
  thresholds.fail_after = std::max(thresholds.fail_after, thresholds.stall_after);
  reader.duration("fail_after", thresholds.fail_after);
  reader.number("dropout_below", 0, 1, thresholds.dropout_below);
  if (thresholds.stall_after < kShortestStall)
    reader.problem("stall_after", "is below the shortest that can be told from noise (100ms)");
  if (thresholds.fail_after < thresholds.stall_after)
    reader.problem("fail_after", "is shorter than stall_after");
  if (reader.has("max_dropouts"))
    reader.count("max_dropouts", 0, kLargestSeed, limits.max_dropouts.emplace());
  if (reader.has("max_dropout_seconds"))
    reader.number("max_dropout_seconds", 0, 1e9, limits.max_dropout_seconds.emplace());
  if (reader.has("min_ops")) reader.count("min_ops", 0, kLargestSeed, limits.min_ops.emplace());
  reader.refuse_unknown();
}

void PlanParser::read_canary(const toml::table& table) {
  TomlReader reader(table, "[canary]", problems_);
  PlanCanary& canary = plan_.canary;
  if (reader.has("enabled")) reader.flag("enabled", canary.enabled.emplace());
  std::vector<std::string> when{"before", "after"};
  reader.texts("when", when);
  canary.before = canary.after = false;
  for (const std::string& word : when) {
    if (word == "before")
      canary.before = true;
    else if (word == "beside")
      canary.beside = true;
    else if (word == "after")
      canary.after = true;
    else
      reader.problem("when", fmt::format("'{}' is none of before, beside, after", word));
  }
  reader.refuse_unknown();
}

void PlanParser::read_notify(const toml::table& table) {
  TomlReader reader(table, "[notify]", problems_);
  reader.require("command", "");
  reader.texts("command", plan_.notify);
  const auto cannot_be = [](const std::string& word) {
    return word.find('\0') != std::string::npos;
  };
  if (reader.has("command") && (plan_.notify.empty() || plan_.notify.front().empty() ||
                                std::any_of(plan_.notify.begin(), plan_.notify.end(), cannot_be)))
    reader.problem("command", "is no program with its words, as [\"/usr/bin/mail\", \"root\"]");
  reader.refuse_unknown();
}

void PlanParser::read_process(const toml::table& table) {
  TomlReader reader(table, "[[process]]", problems_);
  PlanProcess process{
      .name = fmt::format("process-{}", plan_.processes.size() + 1), .cpus = {}, .loads = {}};
  take_name(reader, process_names_, kThreadNameLength, process.name);
  reader.cpus("cpus", process.cpus);
  read_times(reader, process.start, process.duration);
  for (const toml::table* load : reader.tables("load")) read_load(*load, process);
  if (process.loads.empty()) reader.problem("load", "there is no [[process.load]]");
  reader.refuse_unknown();
  plan_.processes.push_back(std::move(process));
}

void PlanParser::read_times(TomlReader& reader, Nanos& start, Nanos& duration) {
  reader.duration("start", start);
  reader.duration("duration", duration);
  if (reader.has("duration") && duration == 0) reader.problem("duration", "is zero");
}

void PlanParser::read_load(const toml::table& table, PlanProcess& process) {
  TomlReader reader(table, "[[process.load]]", problems_);
  PlanLoad load;
  reader.require("workload", " (stallproof list workloads)");
  reader.text("workload", load.workload);
  const WorkloadInfo* const info = find_workload(load.workload);
  if (info == nullptr) {
    std::vector<std::string_view> known;
    for (const WorkloadInfo& each : workload_catalogue()) known.push_back(each.name);
    return reader.problem("workload", fmt::format("there is no workload '{}' (known: {})",
                                                  load.workload, fmt::join(known, ", ")));
  }
  load.name = load.workload;
  take_name(reader, load_names_, kLoadNameLength, load.name);
  std::uint64_t threads = info->default_threads;
  reader.count("threads", 1, kMaxSlots, threads);
  load.threads = static_cast<unsigned>(threads);
  slots_ += threads;
  if (slots_ > kMaxSlots)
    reader.problem("threads", fmt::format("the plan has more than {} threads", kMaxSlots));
  if (++loads_ > kMaxLoads)
    reader.problem("name", fmt::format("the plan has more than {} loads", kMaxLoads));
  read_path(reader, load);
  read_names(reader, *info, load);
  reader.cpus("cpus", load.cpus);
  read_times(reader, load.start, load.duration);
  read_parameters(reader, *info, load);
  check_parameters(reader, *info, load);
  if (const toml::table* own = reader.table("thresholds")) {
    // What it does not say is as in the plan; dropouts are limited by either, not by both.
    load.limits = PlanLimits{.thresholds = plan_.limits.thresholds};
    read_limits(*own, "[process.load.thresholds]", *load.limits);
  }
  reader.refuse_unknown();
  process.loads.push_back(std::move(load));
}

void PlanParser::read_path(TomlReader& reader, PlanLoad& load) {
  load.path = load.name;
  reader.text("path", load.path);
  const std::filesystem::path path(load.path);
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (load.path.empty() || load.path.find('\0') != std::string::npos || path.filename().empty() ||
      (climbs && path.is_relative()))
    reader.problem("path", fmt::format("'{}' is no name of a file below the target", load.path));
}

void PlanParser::read_names(TomlReader& reader, const WorkloadInfo& info, PlanLoad& load) {
  load.thread_names = std::string(info.thread_prefix);
  reader.text("thread_names", load.thread_names);
  const std::string& names = load.thread_names;
  const bool numbered = names != kUnnumberedThreads;
  const std::size_t length =
      names.size() + (numbered ? fmt::format("/{}", load.threads - 1).size() : 0);
  const bool printable =
      std::all_of(names.begin(), names.end(), [](unsigned char c) { return std::isprint(c) != 0; });
  if (names.empty() || !printable || length > kThreadNameLength)
    reader.problem("thread_names",
                   fmt::format("'{}'{} is not 1 to {} printable characters", names,
                               numbered ? " with its number" : "", kThreadNameLength));
}

void PlanParser::read_parameters(TomlReader& reader, const WorkloadInfo& info, PlanLoad& load) {
  std::string_view rate;
  for (const WorkloadParameter& parameter : info.parameters) {
    std::string value(parameter.fallback);
    reader.value(parameter.name, value);
    load.parameters.set(std::string(parameter.name), value);
    if (rate.empty() && parameter.name.ends_with("-rate")) rate = parameter.name;
  }
  // Of every workload that keeps a rate, whatever its own parameter is called.
  if (rate.empty() || !reader.has("rate") || load.parameters.has("rate")) return;
  if (reader.has(rate)) return reader.problem("rate", fmt::format("is {} too: give one", rate));
  std::string value;
  reader.value("rate", value);
  load.parameters.set(std::string(rate), value);
}

// By the load's own reading of them, as its worker will: what a worker would refuse is told here.
void PlanParser::check_parameters(TomlReader& reader, const WorkloadInfo& info,
                                  const PlanLoad& load) {
  const auto good =
      info.make()->configure({.file = {}, .settings = load.parameters, .threads = load.threads});
  if (good) return;
  const std::string& what = good.error().what;
  const std::size_t colon = what.find(": ");
  std::string key = what.substr(0, colon);
  if (colon == std::string::npos || (key != "threads" && !load.parameters.has(key)))
    return reader.problem("workload", what);
  if (!reader.has(key) && key.ends_with("-rate") && reader.has("rate")) key = "rate";
  reader.problem(key, what.substr(colon + 2));
}

void PlanParser::read_phase(const toml::table& table) {
  TomlReader reader(table, "[[phase]]", problems_);
  PlanPhase phase{.name = fmt::format("phase-{}", plan_.phases.size() + 1), .loads = {}};
  take_name(reader, phase_names_, kPlanNameLength, phase.name);
  reader.require("duration", "");
  reader.duration("duration", phase.duration);
  if (reader.has("duration") && phase.duration < kShortestPhase)
    reader.problem("duration", "is shorter than 100ms");
  phase.loads.assign(load_names_.begin(), load_names_.end());
  reader.texts("loads", phase.loads);
  for (const std::string& load : phase.loads)
    if (!load_names_.contains(load))
      reader.problem("loads", fmt::format("there is no load '{}' (known: {})", load,
                                          fmt::join(load_names_, ", ")));
  reader.refuse_unknown();
  plan_.phases.push_back(std::move(phase));
}

// What only the whole plan can tell.
void PlanParser::settle(TomlReader& root) {
  if (!given_.target.empty()) plan_.target = given_.target;
  if (!duration_given_ && !plan_.phases.empty()) {
    plan_.duration = 0;
    for (const PlanPhase& phase : plan_.phases) plan_.duration += phase.duration;
  }
  if (given_.duration) plan_.duration = *given_.duration;
  if (plan_.warmup >= plan_.duration) root.problem("plan", "warmup is not shorter than duration");
  if (plan_.target.empty() && needs_target(plan_))
    root.problem("plan", "no target (give target = \"DIRECTORY\" or --target DIRECTORY)");
  if (const std::string problem = coordinate_problem(plan_); !problem.empty())
    root.problem("coordinate", problem);
  for (const PlanProcess& process : plan_.processes)
    for (const PlanLoad& load : process.loads)
      if (process.start + load.start >= plan_.duration)
        root.problem("process",
                     fmt::format("load '{}' would start after the end of the run", load.name));
  if (plan_.size != 0 && planned_file_bytes(plan_) > plan_.size)
    root.problem("plan", fmt::format("the files of the loads hold {} bytes, more than size = {}",
                                     planned_file_bytes(plan_), plan_.size));
}

}  // namespace

Result<LoadPlan> parse_plan_table(const toml::table& root, const std::string& source,
                                  const PlanGiven& given) {
  return PlanParser(source, given).parse(root);
}

Result<LoadPlan> parse_plan(const std::string& text, const std::string& source,
                            const std::string& target) {
  try {
    return parse_plan_table(toml::parse(text, source), source, {.target = target});
  } catch (const toml::parse_error& error) {
    TomlProblems problems(source);
    problems.add(error.source(), std::string{error.description()});
    return fail(problems.first());
  }
}

Result<LoadPlan> read_plan_file(const std::string& path, const std::string& target) {
  const auto text = read_file(path, 4U << 20U);
  if (!text)
    return fail("run: " + text.error().what +
                " (give a plan; stallproof init --target DIR writes one)");
  return parse_plan(*text, path, target);
}

}  // namespace stallproof
