// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/saturated.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/undo_journal.h"
#include "harness/run/vdbench/file_execution.h"
#include "harness/run/vdbench/lun_look.h"
#include "harness/run/vdbench/raw_execution.h"
#include "harness/run/vdbench/run_commands.h"
#include "harness/run/vdbench/vdbench_places.h"
#include "harness/run/vdbench/vdbench_verdict.h"
#include "workloads/io/io_engine.h"
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/plan_text.h"
#include "workloads/vdbench/report/flat_files.h"

namespace stallproof {
namespace {

// Which SDs any run uses, and which of them any run writes to.
struct SdUse {
  std::vector<bool> used, written;
};

SdUse sd_use(const Plan& plan) {
  SdUse use{std::vector<bool>(plan.set.sds.size()), std::vector<bool>(plan.set.sds.size())};
  for (const PlannedRun& run : plan.runs) {
    const double loop = value_of(run.loops, "rdpct");
    for (const RawWorkload& workload : *run.workloads)
      for (const std::size_t sd : workload.sds) {
        use.used[sd] = true;
        const double reads = std::isnan(loop) ? workload.wd.read_percent : loop;
        use.written[sd] = use.written[sd] || reads < 100;
      }
  }
  return use;
}

// Where the SD is on this machine.
std::string lun_of(const ParameterSet& set, const StorageDefinition& sd) {
  for (const HostDefinition& host : set.hosts) {
    const auto found = host.luns.find(sd.name);
    if (found != host.luns.end()) return found->second;
  }
  return sd.luns.empty() ? "" : sd.luns.front();
}

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

// What the runs of a plan are made from, but for the plan.
struct Ground {
  std::vector<Lun> luns;                   // by SD
  std::vector<std::uint32_t> first_slots;  // by SD
  std::vector<IoLab::Load> loads;
};

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

// A load for each SD, or, where there are more than the board holds, for some neighbours together.
std::vector<IoLab::Load> loads_of(const Plan& plan, const SdUse& use,
                                  std::vector<std::uint32_t>& first_slots) {
  std::vector<std::size_t> sds;
  for (std::size_t i = 0; i < use.used.size(); ++i)
    if (use.used[i]) sds.push_back(i);
  const std::size_t each = (sds.size() + kMaxLoads - 1) / kMaxLoads;
  std::vector<IoLab::Load> loads;
  std::uint32_t slots = 0;
  first_slots.assign(use.used.size(), 0);
  for (std::size_t at = 0; at < sds.size(); ++at) {
    const StorageDefinition& sd = plan.set.sds[sds[at]];
    unsigned most = kFormatThreads;
    for (const PlannedRun& run : plan.runs) most = std::max(most, threads_of_sd(sd, run));
    first_slots[sds[at]] = slots;
    slots += most;
    if (at % each == 0) {
      loads.push_back({sd.name, most});
    } else {
      loads.back().threads += most;
      loads.back().name =
          loads.back().name.substr(0, loads.back().name.find("..")) + ".." + sd.name;
    }
  }
  return loads;
}

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
           const VdbenchOptions& options) {
  session.run_dir().save("env.json", environment_json());
  session.begin();
  output.begin(plan, pages_of(plan), plan.file_systems ? flat_files_header() : flat_raw_header());
  const bool uring = options.engine == IoEngine::uring && !plan.file_systems;
  output.log(fmt::format("engine {}, buffers {}{}", uring ? "io_uring" : "psync",
                         uring ? "registered" : "heap",
                         options.jvm ? ", with a JVM's memory map beside the I/O" : ""));
}

Result<std::vector<Lun>> find_luns(const VdbenchOptions& options, const Plan& plan,
                                   const SdUse& use) {
  std::vector<LunQuestion> questions;
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i) {
    const StorageDefinition& sd = plan.set.sds[i];
    const std::string path = lun_of(plan.set, sd);
    if (use.used[i] && path.empty())
      return fail(fmt::format("sd={}: no lun= on this machine", sd.name));
    if (use.used[i])
      questions.push_back({sd.name, path, use.written[i] || sd.size > 0, sd.size > 0});
  }
  auto looked = look_at_luns(questions, options.allow_claimed);
  if (!looked) return looked;
  std::vector<Lun> luns;
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i)
    luns.push_back(use.used[i] ? (*looked)[next++] : Lun{});
  return luns;
}

Result<Ground> ground_of(const VdbenchOptions& options, const Plan& plan) {
  Ground ground;
  if (plan.file_systems) {
    unsigned most = 1;
    for (const PlannedRun& run : plan.runs) {
      const auto made = file_run_of({.set = plan.set, .run = run});
      if (!made) return Failure(made.error());
      most = std::max(most, made->job.slots());
    }
    ground.loads = {{"files", most}};
    return ground;
  }
  const SdUse use = sd_use(plan);
  auto luns = find_luns(options, plan, use);
  if (!luns) return Failure(luns.error());
  ground.luns = std::move(*luns);
  ground.loads = loads_of(plan, use, ground.first_slots);
  return ground;
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
  auto ground = ground_of(options, plan);
  if (!ground) return Failure(ground.error());
  auto lens = LiveLens::open(options.fs_files, options.thresholds.without);
  if (!lens) return Failure(lens.error());
  if (const std::string danger = panic_danger(); !danger.empty()) console.problem(danger);
  for (const std::string& line : undo_leftovers(runtime_directory())) console.problem(line);
  auto run = prepare_run_dir(options);
  if (!run) return Failure(run.error());
  auto captures = IncidentCaptures::create(options.policy, *run, console);
  if (!captures) return Failure(captures.error());
  auto output = VdbenchOutput::create(run->path(), console);
  if (!output) return Failure(output.error());
  auto lab = IoLab::start(ground->loads, options.thresholds);
  if (!lab) return Failure(lab.error());
  VdbenchSession session(options, std::move(*run), std::move(*lens), std::move(*lab),
                         std::move(*captures), console);
  if (plan.set.general.validate && !plan.file_systems)
    if (auto made = make_key_maps(session, plan, ground->luns); !made) return Failure(made.error());
  begin(session, *output, plan, options);
  clear_monitor(plan.set.general.monitor);
  VdbenchRun(options, plan, std::move(*ground), session, *output).drive();
  session.finish();
  return conclude_vdbench(session, *output, options);
}

}  // namespace stallproof
