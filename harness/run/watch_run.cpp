// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch_run.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/detect/target_progress.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLoopStep = 100 * kMillisecond;
constexpr Nanos kMembersEvery = 250 * kMillisecond;
// After a signal was passed on; a second signal ends the watch at once.
constexpr Nanos kCommandMayEnd = 5 * kSecond;

}  // namespace

WatchRun::WatchRun(const WatchOptions& options, WatchTarget target, RunDir run, LiveLens lens,
                   WatchdogChild watchdog, IncidentCaptures captures, WatchCanary canary,
                   std::optional<ForeignCommand> command, SignalWatch signals, Console& console)
    : options_(options),
      target_(std::move(target)),
      run_(std::move(run)),
      lens_(std::move(lens)),
      watchdog_(std::move(watchdog)),
      captures_(std::move(captures)),
      command_(std::move(command)),
      signals_(std::move(signals)),
      console_(console),
      book_({.lens = lens_,
             .run = run_,
             .evidence = watchdog_.evidence(),
             .load_names = [this] { return load_names(); },
             .conclusive = [](const Explanation& each) { return each.cycle.has_value(); },
             .feed = options.feed,
             .clock = &state_.clock,
             .marked = [this](Nanos at) { return marks_.at(state_.clock, at); }}),
      series_({.run = run_,
               .evidence = watchdog_.evidence(),
               .load_names = [this] { return load_names(); }}),
      marks_(run_, series_, options.feed),
      counter_rows_(run_, "series/seconds.csv", TargetCounters::csv_header()),
      vdbench_(options.vdbench_output),
      vdbench_rows_(run_, "series/vdbench.csv", VdbenchRows::csv_header()),
      canary_board_(std::move(canary.board)),
      canaries_({.choice = std::move(canary.choice),
                 .host = *this,
                 .watchdog = watchdog_,
                 .board = canary_board_,
                 .thresholds = options.thresholds,
                 .forbidden = [](std::string_view) { return std::string(); },
                 .tell_passed = [this](const std::string& what) { tell(monotonic_now(), what); },
                 .console = console}) {
  state_.clock = {.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  book_.begin(state_.clock.monotonic_ns);
  scanning_ = watchdog_.evidence().area().scan_problem[0] == '\0';
  state_.sees_stacks = !scanning_ && lens_.sees_stacks(watchdog_.child().pid());
}

Result<> WatchRun::begin() {
  log_event(
      Json{{"event", "child"}, {"role", "watchdog"}, {"pid", watchdog_.child().pid()}}.dump());
  marks_.begin();
  state_.figures.begin(watchdog_.evidence(), state_.clock.monotonic_ns);
  series_.begin(state_.clock.monotonic_ns, monotonic_now());
  refresh_members(monotonic_now());
  keep_watchdog_apart();
  tell_begin();
  tell(monotonic_now(), fmt::format("watching {}, results in {}", target_.name(), run_.path()));
  if (!scanning_)
    tell(monotonic_now(),
         fmt::format("cannot look into the kernel's locks: {}; falling back to /proc",
                     watchdog_.evidence().area().scan_problem.data()));
  canaries_.run("before");
  return start_command();
}

Result<> WatchRun::start_command() {
  begun_ns_ = monotonic_now();
  if (!command_) return {};
  if (state_.interrupted) end("interrupted before the command was started");
  if (over_) return {};
  if (auto started = command_->go(); !started) return started;
  log_event(Json{{"event", "command_started"}, {"pid", command_->pid()}}.dump());
  return {};
}

void WatchRun::serve() {
  read_events();
  check_watchdog();
  check_signals();
  const Nanos now = monotonic_now();
  if (state_.figures.check_heartbeat(watchdog_.evidence(), watchdog_.child().pid(), now))
    tell_blind("the watchdog gives no sign of life");
  if (const auto cpu = state_.figures.rescue.take_moved(); cpu)
    log_event(Json{{"event", "watchdog_moved"}, {"from_cpu", *cpu}}.dump());
  health_.serve(now, options_.feed, lens_, state_.left_behind);
  marks_.serve(state_.clock, book_, now);
  take_captures(now);
  serve_canary(now);
  series_.serve(now, book_.incidents());
}

void WatchRun::watch_on() {
  wait_until(monotonic_now() + kLoopStep);
  serve();
  const Nanos now = monotonic_now();
  check_target(now);
  refresh_members(now);
  sample_counters(now);
  check_suspected(now);
  look_by_proc(now);
  check_end(now);
  show_progress(now);
}

void WatchRun::drive() {
  while (!over_) watch_on();
  canaries_.run("after");
  for (const std::string& thing : captures_.finish(run_)) state_.left_behind.push_back(thing);
  name_what_is_left();
  state_.figures.take(watchdog_.evidence(), watchdog_.child().pid(), monotonic_now());
  watchdog_.command(WatchCommand::end_load);
  if (const std::string stuck = watchdog_.end(); !stuck.empty())
    state_.left_behind.push_back(stuck);
  read_events();
  marks_.finish(state_.clock, book_);
  series_.close(monotonic_now(), book_.incidents());
  book_.save_all(state_.clock.monotonic_ns);
  counter_rows_.close();
  vdbench_.poll(monotonic_now(), realtime_now());
  take_vdbench_rows();
  vdbench_rows_.close();
  if (!vdbench_.problem().empty()) console_.problem("vdbench: " + vdbench_.problem());
  if (vdbench_.missing() > 0)
    console_.result(fmt::format("vdbench: {} of its rows are missing", vdbench_.missing()));
  log_event(Json{{"event", "watch_ended"}, {"why", state_.ended_by}}.dump());
}

void WatchRun::wait_until(Nanos until) const {
  std::array<pollfd, 5> items{
      {{watchdog_.channel_fd(), POLLIN, 0},
       {signals_.fd(), POLLIN, 0},
       {watchdog_.child().pidfd(), POLLIN, 0},
       {command_ && !command_->status() ? command_->pidfd() : -1, POLLIN, 0},
       {target_.pidfd(), POLLIN, 0}}};
  // What can no longer be read from would wake us for ever, and so would what nobody looks at now.
  if (watchdog_.child().reaped()) items[0].fd = items[2].fd = -1;
  if (begun_ns_ == 0 || over_) items[3].fd = items[4].fd = -1;
  const Nanos now = monotonic_now();
  const Nanos left = until > now ? std::min(until - now, kLoopStep) : 0;
  ::poll(items.data(), items.size(), static_cast<int>(left / kMillisecond));
}

// Nobody who listens shall take its incidents for those of the target.
void WatchRun::set_canary(IncidentLane* lane) {
  const bool changed = (canary_ == nullptr) != (lane == nullptr);
  canary_ = lane;
  if (changed && options_.feed != nullptr)
    options_.feed->tell(&RunListener::on_window, lane != nullptr);
}

// All of a canary's loads share a row behind those of the target.
std::vector<std::string> WatchRun::names_with(const std::vector<std::string>&) const {
  std::vector<std::string> names = load_names();
  names.resize(kCanaryRow);
  names.emplace_back("canary");
  return names;
}

void WatchRun::read_events() {
  while (const auto event = watchdog_.next_event()) on_event(*event);
}

void WatchRun::on_event(const WatchEvent& event) {
  if ((event.incident & kCanaryIncident) != 0) {
    if (canary_ != nullptr) canary_->on_incident(event);
    return;
  }
  switch (event.kind) {
    case WatchEventKind::incident_opened:
      return on_opened(event);
    case WatchEventKind::incident_extended:
    case WatchEventKind::incident_resolved:
      book_.update(event);
      if (event.kind != WatchEventKind::incident_resolved) return;
      return tell(event.at_ns, "resolved: nothing of it stands still any more");
    case WatchEventKind::scan_taken:
      return on_scan(event);
    case WatchEventKind::supported:
      return book_.note_support(event);
    case WatchEventKind::dropout_begin:
    case WatchEventKind::dropout_end:
      if (!canary_board_ || event.load != kCanaryRow) book_.note_dropout(event);
      return;
    case WatchEventKind::gap:
      return on_gap(event);
  }
}

void WatchRun::on_gap(const WatchEvent& event) {
  const std::string what = take_gap(event, state_.clock);
  series_.note_window(event.since_ns, event.at_ns, "gap", what);
  log_event(
      Json{{"event", "observer_gap"}, {"ms", state_.clock.ms(event.at_ns)}, {"what", what}}.dump());
  tell_blind(what);
}

void WatchRun::refresh_members(Nanos now) {
  if (now < next_members_ns_) return;
  ProcessList found = target_.members(our_children());
  std::sort(found.tgids.begin(), found.tgids.end());
  for (const pid_t pid : members_)
    if (!std::binary_search(found.tgids.begin(), found.tgids.end(), pid))
      watchdog_.forget_process(pid);
  std::vector<std::string> problems;
  if (!found.problem.empty()) problems.push_back(found.problem);
  for (const pid_t pid : found.tgids)
    if (!std::binary_search(members_.begin(), members_.end(), pid) && !watchdog_.watch_process(pid))
      problems.push_back(fmt::format("more than {} processes: not all are watched", kWatchedMax));
  for (const std::string& problem : problems)
    if (std::find(state_.blind.begin(), state_.blind.end(), problem) == state_.blind.end())
      state_.blind.push_back(problem);
  members_ = std::move(found.tgids);
  const Nanos took = monotonic_now() - now;
  next_members_ns_ = now + std::max(kMembersEvery, 20 * took);
}

void WatchRun::check_suspected(Nanos now) {
  const EvidenceArea& area = watchdog_.evidence().area();
  const std::vector<std::string> names = load_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Nanos since = area.targets[i].suspected_since_ns.load(std::memory_order_relaxed);
    const auto open = std::find_if(
        state_.suspected.begin(), state_.suspected.end(),
        [&](const SuspectedRecord& each) { return !each.until_ns && each.load == names[i]; });
    if (since == 0 && open != state_.suspected.end()) open->until_ns = now;
    if (since == 0 || open != state_.suspected.end()) continue;
    state_.suspected.push_back({.load = names[i], .since_ns = since});
    log_event(Json{{"event", "suspected"}, {"load", names[i]}, {"since_ms", state_.clock.ms(since)}}
                  .dump());
    tell(now, fmt::format("suspected: {} completes nothing since +{:.3f} s, but no task of it "
                          "is blocked",
                          names[i], state_.clock.ms(since) / 1e3));
  }
}

void WatchRun::sample_counters(Nanos now) {
  if (now >= next_vdbench_ns_) {
    vdbench_.poll(now, realtime_now());
    take_vdbench_rows();
    next_vdbench_ns_ = now + kSecond;
  }
  if (now < next_counters_ns_) return;
  EvidenceArea& area = watchdog_.evidence().area();
  counters_.sample(now, target_, members_, area, lens_.probe());
  counter_rows_.append(counters_.csv_row(state_.clock));
  counter_rows_.serve(now);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (counters_.calls()[i] == 0) continue;
    for (WatchedProcess& entry : area.watched) {
      if (entry.tgid.load(std::memory_order_relaxed) != members_[i]) continue;
      entry.reads.store(counters_.calls()[i], std::memory_order_relaxed);
      entry.seen_ns.store(now, std::memory_order_release);
    }
  }
  // Without BPF these totals are the progress that the watchdog sees.
  next_counters_ns_ = now + (scanning_ ? kSecond : kMembersEvery);
}

void WatchRun::take_vdbench_rows() {
  if (const std::string rows = vdbench_.take_csv(state_.clock.monotonic_ns); !rows.empty())
    vdbench_rows_.append(rows);
  vdbench_rows_.serve(monotonic_now());
}

void WatchRun::check_watchdog() {
  const bool known = watchdog_.child().reaped();
  const auto status = watchdog_.child().try_reap();
  if (!status || known) return;
  state_.lost.push_back(
      fmt::format("watchdog process ended in mid-run: {}", describe_status(*status)));
  log_event(Json{{"event", "child_lost"}, {"role", "watchdog"}}.dump());
  console_.problem(state_.lost.back() + "; the load goes on unwatched");
  tell_blind(state_.lost.back());
}

void WatchRun::check_target(Nanos now) {
  if (command_ && command_->reap(our_children())) {
    const int code = shell_status(*command_->status());
    log_event(Json{{"event", "command_ended"}, {"exit", code}}.dump());
    next_members_ns_ = 0;
    return;
  }
  if (command_) {
    if (command_->status() && members_.empty() && next_members_ns_ > now)
      end(fmt::format("the command ended: {}", describe_status(*command_->status())));
    return;
  }
  if (now < next_gone_ns_ && target_.pidfd() < 0) return;
  next_gone_ns_ = now + kSecond;
  if (!target_.gone()) return;
  if (!target_.path().empty())  // who has a file of it open goes on, and is seen no more
    state_.blind.push_back(target_.name() + " vanished while it was watched");
  end(target_.name() + " is gone");
}

void WatchRun::check_signals() {
  while (const auto signal = signals_.next()) {
    log_event(Json{{"event", "signal"}, {"number", signal->number}}.dump());
    // A terminal's Ctrl-C reaches the command by itself.
    if (command_ && !signal->from_terminal) command_->signal(signal->number);
    const bool again = state_.interrupted;
    state_.interrupted = true;
    if (again || !command_ || members_.empty()) end(fmt::format("signal {}", signal->number));
    if (!again) leave_at_ns_ = monotonic_now() + kCommandMayEnd;
  }
}

void WatchRun::check_end(Nanos now) {
  check_circle(now);
  if (options_.duration && now >= begun_ns_ + *options_.duration)
    return end(fmt::format("watched for {}", format_duration(*options_.duration)));
  if (now >= leave_at_ns_) return end("interrupted; the command did not end");
  if (!failing_stands(now)) {
    failing_since_ns_.reset();
    return;
  }
  if (!failing_since_ns_) failing_since_ns_ = now;
  if (now >= *failing_since_ns_ + options_.give_up_after && !captures_.needs_the_stall())
    end(fmt::format("a failing stall has stood for {}",
                    format_duration(now - book_.standing()->onset_ns)));
}

void WatchRun::end(std::string why) {
  if (!over_) state_.ended_by = std::move(why);
  over_ = true;
}

std::vector<pid_t> WatchRun::our_children() const {
  std::vector<pid_t> ours{watchdog_.child().pid()};
  if (const ProbeChild* const probe = lens_.probe_if_started()) ours.push_back(probe->pid());
  for (const pid_t pid : canaries_.processes()) ours.push_back(pid);
  if (options_.feed != nullptr)
    for (const pid_t pid : options_.feed->processes()) ours.push_back(pid);
  return ours;
}

}  // namespace stallproof
