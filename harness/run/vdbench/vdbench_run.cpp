// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/bounded.h"
#include "harness/base/saturated.h"
#include "harness/base/text_digest.h"
#include "harness/run/canary_rounds.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/plan/plan.h"
#include "harness/run/undo_journal.h"
#include "harness/run/vdbench/file_execution.h"
#include "harness/run/vdbench/raw_execution.h"
#include "harness/run/vdbench/run_commands.h"
#include "harness/run/vdbench/vdbench_ground.h"
#include "harness/run/vdbench/vdbench_places.h"
#include "harness/run/vdbench/vdbench_plan.h"
#include "harness/run/vdbench/vdbench_verdict.h"
#include "workloads/io/io_engine.h"
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/plan_text.h"
#include "workloads/vdbench/report/flat_files.h"

namespace stallproof {
namespace {

// What can be known before anything is written: one machine, all that is asked for can be done.
Result<> check_plan(const VdbenchOptions& options, const Plan& plan, Console& console) {
  if (plan.set.hosts.size() > 1)
    return fail(
        fmt::format("{} hosts (hd=): this drives the machine it runs on; start it on each "
                    "of them and put the results together with `stallproof merge`",
                    plan.set.hosts.size()));
  const Names left_out = not_executed(plan);
  if (left_out.empty()) return {};
  const std::string words = fmt::format("{}", fmt::join(left_out, " "));
  if (!options.lenient)
    return fail(
        fmt::format("not executed: {} (planned, not made here; --lenient runs without)", words));
  console.problem("not executed: " + words);
  return {};
}

// vdbench's own place, "output" beside you, is what its wrappers read: there it is only told.
Result<> check_place(const VdbenchOptions& options, const std::vector<MountEntry>& under_test,
                     Console& console) {
  auto allowed = refuse_vdbench_place(options, under_test);
  if (allowed || !options.vdbench_codes) return allowed;
  console.problem(fmt::format("{}: a stall can hold up the results", allowed.error().what));
  return {};
}

class VdbenchRun {
 public:
  VdbenchRun(const VdbenchOptions& options, const Plan& plan, Ground ground,
             VdbenchSession& session, VdbenchOutput& output)
      : options_(options),
        plan_(plan),
        ground_(std::move(ground)),
        key_blocks_(plan.file_systems ? std::vector<std::uint32_t>() : key_block_sizes(plan)),
        used_(plan.file_systems ? used_operations(plan) : FileOperations()),
        session_(session),
        output_(output) {}

  void drive() {
    run_command(plan_.set.general.start_command, session_, output_);
    if (plan_.file_systems || format_sds()) run_all();
    run_command(plan_.set.general.end_command, session_, output_);
  }

 private:
  void run_all() {
    std::size_t before = plan_.set.runs.size();
    for (const PlannedRun& run : plan_.runs) {
      if (ended()) return;
      const RunDefinition& rd = plan_.set.runs[run.rd];
      if (run.curve_percent > 0 && curve_stopped_) continue;
      if (run.curve_percent == 0) curve_stopped_ = false;
      if (rd.pause > 0 && before != plan_.set.runs.size())
        session_.attend(monotonic_now() + saturated<Nanos>(std::min(rd.pause, 1e9) * 1e9));
      run_one(run, rd);
      before = run.rd;
    }
  }

  void run_one(const PlannedRun& planned, const RunDefinition& rd) {
    run_command(rd.start_command, session_, output_);
    const double response = plan_.file_systems ? run_files(planned, rd) : run_sds(planned, rd);
    if (planned.curve_percent == 0 && !planned.format) measured_maximum_ = measured_rate_;
    if (rd.stop_curve > 0 && planned.curve_percent > 0 && response >= rd.stop_curve)
      curve_stopped_ = true;
    run_command(rd.end_command, session_, output_);
  }

  double run_sds(const PlannedRun& planned, const RunDefinition& rd) {
    auto run = raw_run_of({.set = plan_.set,
                           .run = planned,
                           .luns = ground_.luns,
                           .first_slots = ground_.first_slots,
                           .measured_maximum = measured_maximum_,
                           .key_blocks = key_blocks_});
    if (!run) return fail_with(run.error().what);
    PlannedRun shown = planned;
    if (planned.curve_percent > 0 || !std::isnan(value_of(planned.loops, "iorate")))
      shown.rate = run->rate;
    return execute(*run, times_of(planned, rd),
                   {.name = planned.name, .text = run_text(shown, false)});
  }

  double run_files(const PlannedRun& planned, const RunDefinition& rd) {
    auto run =
        file_run_of({.set = plan_.set, .run = planned, .measured_maximum = measured_maximum_});
    if (!run) return fail_with(run.error().what);
    run->job.jvm = options_.jvm;
    FileExecution execution({.session = session_,
                             .output = output_,
                             .general = plan_.set.general,
                             .times = times_of(planned, rd),
                             .heading = {.name = planned.name,
                                         .text = run_text(planned, true),
                                         .format = planned.format}},
                            *run, used_);
    return execute(execution);
  }

  static RunTimes times_of(const PlannedRun& planned, const RunDefinition& rd) {
    return {.interval = rd.interval, .warmup = planned.warmup, .elapsed = planned.elapsed};
  }

  // Writes what files lack. False when the runs cannot follow.
  bool format_sds() {
    const SdUse use = sd_use(plan_);
    auto run = format_run_of(plan_.set, ground_.luns, ground_.first_slots, use.used, key_blocks_);
    if (!run) {
      fail_with(run.error().what);
      return false;
    }
    if (!*run) return true;
    execute(**run, {.interval = 1},
            {.name = kFormatName,
             .text = fmt::format("RD={}; I/O rate: Uncontrolled MAX; elapsed=(none); For loops: "
                                 "threads={} iorate=max",
                                 kFormatName, kFormatThreads),
             .format = true});
    for (const std::size_t sd : (*run)->sds)
      ground_.luns[sd].size = size_of_sd(plan_.set.sds[sd], ground_.luns[sd]);
    return !ended();
  }

  double execute(RawRun run, const RunTimes& times, const RunHeading& heading) {
    run.job.engine = options_.engine;
    run.job.jvm = options_.jvm;
    RawExecution execution({.session = session_,
                            .output = output_,
                            .general = plan_.set.general,
                            .times = times,
                            .heading = heading},
                           run);
    return execute(execution);
  }

  // Milliseconds of the mean response.
  double execute(RunExecution& execution) {
    if (auto done = execution.execute(); !done) return fail_with(done.error().what);
    if (execution.abort()) {
      aborted_ = true;
      if (!execution.abort()->why.empty()) fail_with(execution.abort()->why);
    }
    measured_rate_ = execution.measured_rate();
    return execution.measured_response_ms();
  }

  double fail_with(const std::string& why) {
    aborted_ = true;
    session_.state().failures.push_back(why);
    output_.error(why);
    return 0;
  }

  [[nodiscard]] bool ended() const {
    return aborted_ || session_.must_end() || !session_.state().never_ended.empty();
  }

  const VdbenchOptions& options_;
  const Plan& plan_;
  Ground ground_;
  std::vector<std::uint32_t> key_blocks_;
  FileOperations used_;
  VdbenchSession& session_;
  VdbenchOutput& output_;
  double measured_maximum_ = 0, measured_rate_ = 0;
  bool aborted_ = false, curve_stopped_ = false;
};

Result<> make_key_maps(VdbenchSession& session, const Plan& plan, const std::vector<Lun>& luns) {
  const std::vector<std::uint32_t> blocks = key_block_sizes(plan);
  std::vector<KeyMapSpec> specs;
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i)
    specs.push_back({size_of_sd(plan.set.sds[i], luns[i]), blocks[i]});
  auto maps = KeyMaps::create(specs, largest_transfer(plan), plan.set.general.keep_times);
  if (!maps) return Failure(maps.error());
  session.lab().use_key_maps(std::move(*maps));
  return {};
}

std::vector<VdbenchOutput::Pages> pages_of(const Plan& plan) {
  std::vector<std::string> storage, workloads;
  if (plan.file_systems) {
    for (const FileSystemDefinition& fsd : plan.set.fsds) storage.push_back(fsd.name);
    for (const FileWorkloadDefinition& fwd : plan.set.fwds) workloads.push_back(fwd.name);
    return {{"FSD", storage}, {"FWD", workloads}};
  }
  const SdUse use = sd_use(plan);
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i)
    if (use.used[i]) storage.push_back(plan.set.sds[i].name);
  for (const WorkloadDefinition& wd : plan.set.wds) workloads.push_back(wd.name);
  if (workloads.size() < 2) return {{"SD", storage}};
  return {{"SD", storage}, {"WD", workloads}};
}

void begin(VdbenchSession& session, VdbenchOutput& output, const Plan& plan,
           const VdbenchOptions& options, const std::vector<std::string>& places) {
  session.run_dir().save("env.json", environment_json());
  session.run_dir().save("plan.toml", vdbench_plan_toml(options, places));
  session.begin();
  output.begin(plan, pages_of(plan), plan.file_systems ? flat_files_header() : flat_raw_header());
  const bool uring = options.engine == IoEngine::uring && !plan.file_systems;
  output.log(fmt::format("engine {}, buffers {}{}", uring ? "io_uring" : "psync",
                         uring ? "registered" : "heap",
                         options.jvm ? ", with a JVM's memory map beside the I/O" : ""));
}

// The files' text, and what the command line made of it.
std::string digest_of(const VdbenchOptions& options, const Plan& plan) {
  std::string text = plan_text(plan);
  for (const std::string& file : options.files)
    if (const auto content = read_file_bounded(file, Deadline::in(kSecond))) text += *content;
  return text_digest(text);
}

// Seconds, as far as the plan tells: what runs until it is done counts for nothing.
double planned_seconds(const Plan& plan) {
  double sum = 0;
  for (const PlannedRun& run : plan.runs) sum += run.warmup + run.elapsed.value_or(0);
  return sum;
}

Result<CanaryChoice> choose_canary_for(const VdbenchOptions& options, const Plan& plan) {
  const bool usual = planned_seconds(plan) * 1e9 >= static_cast<double>(kCanaryFrom);
  const bool wanted =
      is_wanted(options.canary) || (options.canary == CanaryWish::as_planned && usual);
  return wanted ? choose_canary(1, options.canary) : CanaryChoice{};
}

// vdbench's own files say nothing of it but in the log.
CanaryRounds::Setup rounds_of(CanaryChoice choice, VdbenchSession& session, VdbenchOutput& output) {
  return {.choice = std::move(choice),
          .host = session.session(),
          .watchdog = session.lab().watchdog(),
          .board = session.lab().canary_board(),
          .thresholds = session.options().thresholds,
          .forbidden =
              [&session](std::string_view) {
                return session.state().left_behind.empty()
                           ? std::string()
                           : std::string("a process of the load has not ended");
              },
          .tell_passed = [&output](const std::string& what) { output.log(what); },
          .console = session.console()};
}

// What cannot be done by the engine that was asked for is done by psync.
IoEngine engine_of(const VdbenchOptions& options, const Plan& plan, Console& console) {
  if (options.engine == IoEngine::psync) return IoEngine::psync;
  const std::string problem = plan.file_systems           ? "io_uring makes no file operations"
                              : plan.set.general.validate ? "io_uring does not validate data"
                                                          : uring_problem();
  if (problem.empty()) return IoEngine::uring;
  console.problem(problem + ": using psync instead");
  return IoEngine::psync;
}

}  // namespace

Result<int> run_vdbench(const VdbenchOptions& given, const Plan& plan, Console& console) {
  VdbenchOptions options = given;
  if (auto good = check_plan(options, plan, console); !good) return Failure(good.error());
  if (auto allowed = check_policy(options.policy, options.out); !allowed)
    return Failure(allowed.error());
  options.engine = engine_of(options, plan, console);
  auto canary = choose_canary_for(options, plan);
  if (!canary) return Failure(canary.error());
  const CanaryPlan* const known_stall = canary->plan ? &*canary->plan : nullptr;
  auto ground = ground_of(options, plan, known_stall);
  if (!ground) return Failure(ground.error());
  const std::vector<std::string> places = paths_of(plan, *ground);
  const PlaceMounts under_test = mounts_of_places(places);
  if (auto allowed = check_place(options, under_test.mounts, console); !allowed)
    return Failure(allowed.error());
  auto lens = LiveLens::open(options.fs_files, options.thresholds.without);
  if (!lens) return Failure(lens.error());
  if (const std::string danger = panic_danger(); !danger.empty()) console.problem(danger);
  for (const std::string& line : undo_leftovers(runtime_directory())) console.problem(line);
  auto run = prepare_run_dir(options);
  if (!run) return Failure(run.error());
  run->echo_events([&console](std::string_view event) { console.json_line(event); });
  auto captures = IncidentCaptures::create(options.policy, *run, console, options.feed);
  if (!captures) return Failure(captures.error());
  auto output = VdbenchOutput::create(run->path(), console);
  if (!output) return Failure(output.error());
  auto lab = IoLab::start(ground->loads, options.thresholds, known_stall);
  if (!lab) return Failure(lab.error());
  for (const IoLab::Load& load : ground->loads)
    if (!load.target.empty()) options.targets[load.name] = load.target;
  if (!canary->refused.empty()) console.problem("no stall is made on purpose: " + canary->refused);
  VdbenchSession session(options, std::move(*run), std::move(*lens), std::move(*lab),
                         std::move(*captures), console);
  if (plan.set.general.validate && !plan.file_systems)
    if (auto keys = make_key_maps(session, plan, ground->luns); !keys) return Failure(keys.error());
  session.state().parameters = digest_of(options, plan);
  session.state().target = find_vdbench_target(places, under_test);
  begin(session, *output, plan, options, places);
  clear_monitor(plan.set.general.monitor);
  CanaryRounds canaries(rounds_of(std::move(*canary), session, *output));
  canaries.run("before");
  if (!session.must_end()) {
    VdbenchRun(options, plan, std::move(*ground), session, *output).drive();
    canaries.run("after");
  }
  session.finish();
  return conclude_vdbench(session, *output, options, canaries.entry({"before", "after"}));
}

}  // namespace stallproof
