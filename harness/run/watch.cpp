// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "harness/probe/result_place.h"
#include "harness/run/board_figures.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/incident_news.h"
#include "harness/run/own_cgroup.h"
#include "harness/run/plan/plan.h"
#include "harness/run/plan/toml_words.h"
#include "harness/run/undo_journal.h"
#include "harness/run/verdict_delivery.h"
#include "harness/run/watch_run.h"
#include "harness/run/watch_verdict.h"

namespace stallproof {
namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;

std::string plan_toml(const WatchOptions& options, const WatchTarget& target) {
  std::string text = fmt::format("[watch]\ntarget = {}\n", toml_quoted(target.name()));
  if (!options.mount.empty()) text += fmt::format("mount = {}\n", toml_quoted(target.path()));
  if (!options.cgroup.empty()) text += fmt::format("cgroup = {}\n", toml_quoted(options.cgroup));
  if (!options.command.empty()) {
    std::error_code error;
    text += fmt::format("directory = {}\ncommand = {}\n",
                        toml_quoted(std::filesystem::current_path(error).string()),
                        toml_names(options.command));
  }
  if (is_wanted(options.canary)) text += fmt::format("canary = \"{}\"\n", word_of(options.canary));
  if (options.duration) text += fmt::format("duration_ms = {}\n", *options.duration / kMillisecond);
  return text + fmt::format("stall_after_ms = {}\nfail_after_ms = {}\n",
                            options.thresholds.stall_after / kMillisecond,
                            options.thresholds.fail_after / kMillisecond);
}

Result<std::optional<ForeignCommand>> prepare_command(const WatchOptions& options) {
  if (options.command.empty()) return std::nullopt;
  auto command =
      ForeignCommand::prepare({.words = options.command, .stdout_to_stderr = options.json});
  if (!command) return Failure(command.error());
  return std::optional(std::move(*command));
}

// None but where it is asked for: who only looks on makes no stall beside the load of another.
Result<WatchCanary> prepare_canary(const WatchOptions& options) {
  if (!is_wanted(options.canary)) return WatchCanary{};
  auto choice = choose_canary(0, options.canary);
  if (!choice) return Failure(choice.error());
  if (!choice->plan) return WatchCanary{.choice = std::move(*choice)};
  auto board = board_of(*choice->plan);
  if (!board) return Failure(board.error());
  return WatchCanary{.choice = std::move(*choice), .board = std::move(*board)};
}

// What must be known before anything is written: what is watched, and where results may go.
Result<WatchTarget> find_target(const WatchOptions& options) {
  auto target = WatchTarget::find(options);
  if (!target) return target;
  const auto under_test = [&target](const MountEntry& mount) {
    return !target->path().empty() && mount.mount_point == target->path();
  };
  if (auto allowed = refuse_place_on_target(options.out, under_test); !allowed)
    return Failure(allowed.error());
  return target;
}

}  // namespace

Result<int> run_watch(const WatchOptions& options, Console& console) {
  auto lens = LiveLens::open(options.fs_files, options.thresholds.without);
  if (!lens) return Failure(lens.error());
  if (auto allowed = check_policy(options.policy, options.out); !allowed)
    return Failure(allowed.error());
  auto target = find_target(options);
  if (!target) return Failure(target.error());
  auto canary = prepare_canary(options);
  if (!canary) return Failure(canary.error());
  // As a shell would answer, before a result is written for a command that never was.
  if (!options.command.empty() && find_program(options.command.front()).empty()) {
    const bool there = ::access(options.command.front().c_str(), F_OK) == 0;
    console.problem(fmt::format("watch: {}: {}", options.command.front(),
                                there ? "not executable" : "command not found"));
    return there ? kNotExecutable : kNotFound;
  }
  if (const std::string danger = panic_danger(); !danger.empty()) console.problem(danger);
  if (!canary->choice.refused.empty())
    console.problem("no stall is made on purpose: " + canary->choice.refused);
  SignalWatch signals;
  for (const std::string& line : undo_leftovers(runtime_directory())) console.problem(line);
  auto watchdog = WatchdogChild::create();
  if (!watchdog) return Failure(watchdog.error());
  auto run = RunDir::create({.out = options.out,
                             .name_stem = "watch",
                             .labels = options.labels,
                             .thresholds = run_thresholds(options.thresholds)});
  if (!run) return Failure(run.error());
  run->echo_events([&console](std::string_view event) { console.json_line(event); });
  run->save("env.json", environment_json());
  run->save("plan.toml", plan_toml(options, *target));
  auto captures = IncidentCaptures::create(options.policy, *run, console, options.feed);
  if (!captures) return Failure(captures.error());
  WatchdogChild::Setup setup{.thresholds = options.thresholds};
  if (canary->choice.plan) setup.canary = canary_thresholds(options.thresholds);
  if (auto up = watchdog->start(setup); !up) {
    watchdog->end();
    return Failure(up.error());
  }
  if (target->connection() != 0) watchdog->watch_connection(target->connection());
  auto command = prepare_command(options);
  if (!command) return Failure(command.error());
  if (*command) target->set_command((*command)->pid());
  WatchRun watch(options, std::move(*target), std::move(*run), std::move(*lens),
                 std::move(*watchdog), std::move(*captures), std::move(*canary),
                 std::move(*command), std::move(signals), console);
  if (auto begun = watch.begin(); !begun) {
    console.problem(fmt::format("watch: {}: {}", options.command.front(), begun.error().what));
    watch.abandon();
    return kNotExecutable;
  }
  watch.drive();
  return watch.conclude();
}

// A command of ours is where we are; whoever freezes that freezes all of us: an observer gap.
void WatchRun::keep_watchdog_apart() {
  if (command_ || members_.empty()) return;
  const std::string problem = leave_cgroups_of(watchdog_.child().pid(), members_.front());
  if (!problem.empty()) state_.blind.push_back("the watchdog's own safety: " + problem);
}

bool WatchRun::failing_stands(Nanos now) {
  const IncidentRecord* const incident = book_.standing();
  return incident != nullptr && incident->failing_at(now, options_.thresholds.fail_after);
}

void WatchRun::take_captures(Nanos now) {
  captures_.serve({.run = run_,
                   .book = book_,
                   .started_ns = state_.clock.monotonic_ns,
                   .failing = failing_stands(now),
                   .marked = marks_.allow_stalls(now)});
}

void WatchRun::serve_canary(Nanos now) {
  if (canary_ == nullptr) return;
  if (!scanning_) canary_->look_by_proc(now, lens_);
  canary_->take_captures(now, run_, state_.clock, marks_.allow_stalls(now));
}

void WatchRun::tell_begin() const {
  if (options_.feed == nullptr) return;
  RunNews news{.command = "watch", .target = target_.name(), .labels = options_.labels};
  if (!target_.path().empty()) news.targets[""] = target_.path();
  if (options_.duration) news.duration_ms = static_cast<double>(*options_.duration) / 1e6;
  options_.feed->tell(&RunListener::on_begin, run_news(news, run_, state_.clock),
                      make_figure_source(-1, watchdog_.evidence().fd()));
}

void WatchRun::tell_blind(std::string_view why) const {
  if (options_.feed != nullptr) options_.feed->tell(&RunListener::on_blind, why);
}

int WatchRun::conclude() {
  state_.figures.probe_timeouts = lens_.probe_timeouts();
  health_.tell(options_.feed, lens_, state_.left_behind);
  const std::string id = run_.id();
  const std::vector<std::string> names = load_names();
  const Verdict verdict =
      make_watch_verdict({.options = options_,
                          .target = target_,
                          .state = state_,
                          .book = book_,
                          .counters = counters_,
                          .evidence = watchdog_.evidence(),
                          .load_names = names,
                          .command_status = command_ ? command_->status() : std::nullopt,
                          .command_calls = command_ ? command_->calls_made() : std::nullopt,
                          .captures = captures_.entry(),
                          .canary = canaries_.entry({"before", "after"}),
                          .marks = marks_.entries(state_.clock),
                          .run_id = id,
                          .unsaved = run_.first_problem()});
  std::vector<std::string> notes;
  for (const std::string& spot : verdict.observer.blind_spots) notes.push_back("not seen: " + spot);
  return deliver_verdict(run_, console_, verdict, notes, options_.feed);
}

}  // namespace stallproof
