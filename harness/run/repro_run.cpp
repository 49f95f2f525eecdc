// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/detect/no_progress.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// A dropout is one from 2 s on: the deadlock stands a little longer than that before it is healed.
constexpr Nanos kStandFor = 2600 * kMillisecond;
constexpr Nanos kDefaultDeadline = 10 * kSecond;
constexpr Nanos kDefaultHold = 600 * kSecond;
constexpr Nanos kLoopStep = 100 * kMillisecond;
constexpr Nanos kSettled = 200 * kMillisecond;

}  // namespace

ReproRun::ReproRun(const ReproOptions& options, const LabPlan& plan, RunDir run, LiveLens lens,
                   Lab lab, IncidentCaptures captures, SignalWatch signals, Console& console)
    : options_(options),
      plan_(plan),
      run_(std::move(run)),
      lens_(std::move(lens)),
      lab_(std::move(lab)),
      captures_(std::move(captures)),
      console_(console),
      signals_(std::move(signals)),
      book_({.lens = lens_,
             .run = run_,
             .evidence = lab_.evidence(),
             .load_names = [this] { return lab_.load_names(); },
             .conclusive = [this](const Explanation& each) { return as_promised(each); },
             .feed = options.feed,
             .clock = &state_.clock}),
      series_({.run = run_,
               .evidence = lab_.evidence(),
               .board = &lab_.board(),
               .load_names = [this] { return lab_.load_names(); }}),
      second_rows_(run_, "series/seconds.csv", SecondSampler::csv_header(lab_.board())) {
  state_.clock = {.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  book_.begin(state_.clock.monotonic_ns);
  scanning_ = lab_.evidence().area().scan_problem[0] == '\0';
}

void ReproRun::drive() {
  begin_load();
  while (step_ != Step::over) {
    wait_for_something();
    read_events();
    check_children();
    check_injector();
    check_signals();
    const Nanos now = monotonic_now();
    sample(now);
    if (state_.figures.check_heartbeat(lab_.evidence(), lab_.watchdog().pid(), now))
      tell_blind("the watchdog gives no sign of life");
    if (const auto cpu = state_.figures.rescue.take_moved(); cpu)
      log_event(Json{{"event", "watchdog_moved"}, {"from_cpu", *cpu}}.dump());
    health_.serve(now, options_.feed, lens_, {});
    take_captures(now);
    series_.serve(now, book_.incidents());
    advance(now);
    undo_if_due(now);
    lab_.follow(now);
    show_progress(now);
  }
  finish_load();
}

void ReproRun::begin_load() {
  for (const auto& [role, child] : lab_.children())
    log_event(Json{{"event", "child"}, {"role", role}, {"pid", child->pid()}}.dump());
  state_.load_ns = monotonic_now();
  state_.figures.begin(lab_.evidence(), state_.load_ns);
  tell_begin();
  series_.begin(state_.clock.monotonic_ns, state_.load_ns);
  lab_.run_load();
  log_event(Json{{"event", "load_started"}}.dump());
  std::string loads;
  for (const LabPlan::Load& load : plan_.loads)
    loads += fmt::format("{}{} x {}", loads.empty() ? "" : ", ", load.threads, load.name);
  console_.step(0, fmt::format("healthy load on {}: {}", target_words(), loads));
  if (!scanning_)
    console_.step(0, fmt::format("cannot look into the kernel's locks: {}; falling back to /proc",
                                 lab_.evidence().area().scan_problem.data()));
}

std::string ReproRun::target_words() const {
  const FuseTarget& target = lab_.target();
  if (!target.mount_point.empty())
    return fmt::format("{} (FUSE connection {})", target.mount_point, target.connection);
  const char* const file = lab_.board().header().injector.file.data();
  return file[0] != '\0' ? file : "no file system";
}

void ReproRun::advance(Nanos now) {
  switch (step_) {
    case Step::warming:
      if (book_.standing() != nullptr) {
        // Stalled before it was armed: held for as long as it would have been.
        end_at_ns_ = now + armed_for();
        step_ = Step::standing;
      } else if (now >= state_.load_ns + plan_.warmup)
        arm(now);
      return;
    case Step::armed:
      if (book_.standing() != nullptr)
        step_ = Step::standing;
      else if (now >= end_at_ns_ && !something_may_be_stuck(now))
        step_ = Step::over;
      return;
    case Step::standing:
      return stand(now);
    case Step::over:
      return;
  }
}

void ReproRun::arm(Nanos now) {
  std::string rates;
  const double seconds = static_cast<double>(now - state_.load_ns) / 1e9;
  const SystemView view = [this] {
    SystemView read;
    read_board(lab_.board(), read);
    return read;
  }();
  for (std::size_t i = 0; i < view.load_count; ++i)
    rates += fmt::format("{}{} {:.0f}/s", rates.empty() ? "" : ", ", lab_.board().loads()[i].name,
                         static_cast<double>(view.loads[i].ops) / seconds);
  state_.armed_ns = lab_.arm();
  sampler_.start(*state_.armed_ns, lab_.board());
  end_at_ns_ = *state_.armed_ns + armed_for();
  if (plan_.healed_after != 0) undo_at_ns_ = *state_.armed_ns + plan_.healed_after;
  log_event(Json{{"event", "armed"}, {"ms", since_start_ms(*state_.armed_ns)}}.dump());
  console_.step(*state_.armed_ns - state_.clock.monotonic_ns, fmt::format("healthy: {}", rates));
  console_.step(*state_.armed_ns - state_.clock.monotonic_ns,
                fmt::format("armed: {}", options_.request.variant));
  step_ = Step::armed;
}

void ReproRun::undo_if_due(Nanos now) {
  if (undo_at_ns_ == 0 || now < undo_at_ns_) return;
  undo_at_ns_ = 0;
  lab_.undo();
  log_event(Json{{"event", "undone"}, {"ms", since_start_ms(now)}}.dump());
}

Nanos ReproRun::armed_for() const {
  return options_.deadline.value_or(std::max(options_.hold ? kDefaultHold : kDefaultDeadline,
                                             3 * options_.thresholds.stall_after));
}

void ReproRun::stand(Nanos now) {
  IncidentRecord* const incident = book_.standing();
  if (incident == nullptr) {  // it resolved by itself: a stall all the same, but the load goes on
    step_ = state_.armed_ns ? Step::armed : Step::warming;
    return;
  }
  if (!scanning_ && now >= next_proc_look_ns_ && !explained_as_promised(*incident)) {
    explain_by_proc();
    next_proc_look_ns_ = monotonic_now() + 500 * kMillisecond;
  }
  const bool held = options_.hold && !hold_ended_ && now < end_at_ns_;
  if (captures_.needs_the_stall()) return;
  if (!held && now >= incident->onset_ns + kStandFor) step_ = Step::over;
}

void ReproRun::take_captures(Nanos now) {
  const IncidentRecord* const incident = book_.standing();
  captures_.serve({.run = run_,
                   .book = book_,
                   .started_ns = state_.clock.monotonic_ns,
                   .failing = incident != nullptr &&
                              incident->failing_at(now, options_.thresholds.fail_after)});
}

// An op that has been in flight for some ticks when the time is over may be a stall in the making:
// it is given until it is one or completes.
bool ReproRun::something_may_be_stuck(Nanos now) {
  if (now >= end_at_ns_ + options_.thresholds.stall_after + kSecond) return false;
  SystemView view;
  read_board(lab_.board(), view);
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight > 0 && now >= NoProgress::onset_of(load) + kSettled) return true;
  }
  return false;
}

void ReproRun::wait_for_something() {
  const bool holding = options_.hold && step_ == Step::standing && !input_ended_;
  std::array<pollfd, 7> items{{{lab_.channel_fd(), POLLIN, 0},
                               {signals_.fd(), POLLIN, 0},
                               {lab_.worker().pidfd(), POLLIN, 0},
                               {lab_.ffs().pidfd(), POLLIN, 0},
                               {lab_.injector().pidfd(), POLLIN, 0},
                               {lab_.watchdog().pidfd(), POLLIN, 0},
                               {holding ? STDIN_FILENO : -1, POLLIN, 0}}};
  const Nanos now = monotonic_now();
  const Nanos next = next_deadline_ns(now);
  const Nanos left = next > now ? next - now : 0;
  const timespec wait{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
  if (::ppoll(items.data(), items.size(), &wait, nullptr) <= 0) return;
  if (items.back().revents != 0) read_input();
}

// Enter ends a held deadlock; an input that is closed or empty (cron, CI) only stops being asked.
void ReproRun::read_input() {
  char typed[256];
  const ssize_t n = ::read(STDIN_FILENO, typed, sizeof typed);
  if (n <= 0)
    input_ended_ = true;
  else if (std::string_view(typed, static_cast<std::size_t>(n)).find('\n') !=
           std::string_view::npos)
    hold_ended_ = true;
}

Nanos ReproRun::next_deadline_ns(Nanos now) const {
  Nanos next = std::min(now + kLoopStep, sampler_.next_due_ns());
  if (step_ == Step::warming) next = std::min(next, state_.load_ns + plan_.warmup);
  if (step_ == Step::armed) next = std::min(next, end_at_ns_);
  if (undo_at_ns_ != 0) next = std::min(next, undo_at_ns_);
  return next;
}

void ReproRun::read_events() {
  while (const auto event = lab_.next_event()) on_event(*event);
}

void ReproRun::on_event(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEventKind::incident_opened:
      return open_incident(event);
    case WatchEventKind::incident_extended:
    case WatchEventKind::incident_resolved:
      return book_.update(event);
    case WatchEventKind::scan_taken:
      return on_scan(event);
    case WatchEventKind::supported:
      return book_.note_support(event);
    case WatchEventKind::dropout_begin:
    case WatchEventKind::dropout_end:
      return book_.note_dropout(event);
    case WatchEventKind::gap:
      return on_gap(event);
  }
}

void ReproRun::on_gap(const WatchEvent& event) {
  const std::string what = take_gap(event, state_.clock);
  series_.note_window(event.since_ns, event.at_ns, "gap", what);
  log_event(
      Json{{"event", "observer_gap"}, {"ms", since_start_ms(event.at_ns)}, {"what", what}}.dump());
  tell_blind(what);
}

void ReproRun::check_children() {
  for (const auto& [role, child] : lab_.children()) {
    const bool known = child->reaped();
    const auto status = child->try_reap();
    if (!status || known) continue;
    state_.lost.push_back(
        fmt::format("{} process ended in mid-run: {}", role, describe_status(*status)));
    log_event(
        Json{{"event", "child_lost"}, {"role", role}, {"how", describe_status(*status)}}.dump());
    if (child == &lab_.watchdog()) tell_blind(state_.lost.back());
    step_ = Step::over;
  }
}

// What it could not do is told when the load has ended.
void ReproRun::check_injector() {
  if (step_ == Step::armed && !lab_.injector_problem().empty()) step_ = Step::over;
}

void ReproRun::check_signals() {
  const auto came = signals_.next();
  if (!came) return;
  // Ctrl-C is one of the ordinary ways to end a held deadlock.
  const bool ends_hold = options_.hold && step_ == Step::standing && came->number == SIGINT;
  if (ends_hold) {
    hold_ended_ = true;
    return;
  }
  state_.interrupted = true;
  log_event(Json{{"event", "signal"}, {"number", came->number}}.dump());
  step_ = Step::over;
}

void ReproRun::finish_load() {
  const bool stalled = book_.standing() != nullptr || !state_.lost.empty();
  const auto not_put_back = captures_.finish(run_);
  take_watchdog_figures();
  take_load_failures();
  log_event(Json{{"event", "heal_asked"}}.dump());
  state_.ending = lab_.end(stalled);
  for (const std::string& thing : not_put_back) state_.ending->left_behind.push_back(thing);
  if (const std::string problem = lab_.injector_problem(); !problem.empty())
    state_.lost.push_back("injector: " + problem);
  // A load that does not end by itself when nothing seemed to stall: something stalled unseen.
  for (const std::string& line : state_.ending->irregular) state_.lost.push_back(line);
  read_events();
  const Lab::Ending& ending = *state_.ending;
  if (state_.armed_ns)
    series_.note_window(*state_.armed_ns, ending.asked_ns, "injection", options_.request.variant);
  series_.close(monotonic_now(), book_.incidents());
  for (IncidentRecord& incident : book_.incidents()) settle_incident(incident);
  book_.save_all(state_.clock.monotonic_ns);
  second_rows_.append("");
  second_rows_.close();
  log_event(Json{{"event", "load_ended"}, {"left_behind", ending.left_behind}}.dump());
  if (stalled && ending.healed_ns != 0)
    console_.step(ending.healed_ns - state_.clock.monotonic_ns,
                  fmt::format("healed by {}: everything is gone {} after it was asked for",
                              ending.healed_by.empty() ? "ending the load" : ending.healed_by,
                              format_duration(ending.healed_ns - ending.asked_ns)));
  for (const std::string& thing : ending.left_behind) console_.result("left behind: " + thing);
}

void ReproRun::sample(Nanos now) {
  if (!sampler_.sample_if_due(now, lab_.board())) return;
  second_rows_.append(sampler_.csv_row(state_.clock.monotonic_ns));
  second_rows_.serve(now);
}

void ReproRun::take_watchdog_figures() {
  state_.figures.take(lab_.evidence(), lab_.watchdog().pid(), monotonic_now());
}

void ReproRun::log_event(const std::string& json) {
  const Nanos now = monotonic_now();
  run_.append_event(fmt::format("{{\"t_ms\":{:.3f},{}",
                                static_cast<double>(now - state_.clock.monotonic_ns) / 1e6,
                                std::string_view(json).substr(1)));
}

}  // namespace stallproof
