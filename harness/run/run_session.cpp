// SPDX-License-Identifier: Apache-2.0
#include "harness/run/run_session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/run/board_figures.h"
#include "harness/run/incident_news.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLoopStep = 100 * kMillisecond;

}  // namespace

RunSession::RunSession(Setup setup)
    : in_(std::move(setup)),
      lane_{.book = IncidentBook(
                {.lens = in_.lens,
                 .run = in_.run,
                 .evidence = in_.watchdog.evidence(),
                 .load_names = in_.load_names,
                 .conclusive = [](const Explanation& each) { return each.cycle.has_value(); },
                 .feed = in_.feed,
                 .clock = &in_.state.clock,
                 .marked = [this](Nanos at) { return marks_.at(in_.state.clock, at); }}),
            .captures = std::move(in_.captures),
            .teller = in_.teller,
            .processes = in_.processes,
            .fail_after = in_.fail_after},
      series_({.run = in_.run,
               .evidence = in_.watchdog.evidence(),
               .board = in_.board,
               .load_names = in_.load_names}),
      marks_(in_.run, series_, in_.feed) {
  in_.state.clock = {.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  lane_.book.begin(in_.state.clock.monotonic_ns);
  scanning_ = in_.watchdog.evidence().area().scan_problem[0] == '\0';
}

void RunSession::begin() {
  log_event(
      Json{{"event", "child"}, {"role", "watchdog"}, {"pid", in_.watchdog.child().pid()}}.dump());
  marks_.begin();
  in_.state.figures.begin(in_.watchdog.evidence(), in_.state.clock.monotonic_ns);
  series_.begin(in_.state.clock.monotonic_ns, monotonic_now());
  if (in_.feed != nullptr)
    in_.feed->tell(&RunListener::on_begin, run_news(in_.news, in_.run, in_.state.clock),
                   make_figure_source(in_.board->fd(), in_.watchdog.evidence().fd()));
}

void RunSession::serve() {
  read_events();
  check_watchdog();
  check_signals();
  const Nanos now = monotonic_now();
  marks_.serve(in_.state.clock, lane_.book, now);
  for (IncidentLane* const lane : lanes()) {
    if (!scanning_) lane->look_by_proc(now, in_.lens);
    lane->take_captures(now, in_.run, in_.state.clock, marks_.allow_stalls(now));
  }
  series_.serve(now, lane_.book.incidents());
  health_.serve(now, in_.feed, in_.lens, in_.state.left_behind);
  const pid_t watchdog = in_.watchdog.child().pid();
  if (in_.state.figures.check_heartbeat(in_.watchdog.evidence(), watchdog, now))
    tell_blind("the watchdog gives no sign of life");
  if (const auto cpu = in_.state.figures.rescue.take_moved(); cpu)
    log_event(Json{{"event", "watchdog_moved"}, {"from_cpu", *cpu}}.dump());
}

void RunSession::wait(Nanos until, const std::vector<int>& descriptors) const {
  std::vector<pollfd> items{{in_.signals.fd(), POLLIN, 0}};
  // What can no longer be read from would wake us for ever.
  if (!in_.watchdog.child().reaped()) {
    items.push_back({in_.watchdog.channel_fd(), POLLIN, 0});
    items.push_back({in_.watchdog.child().pidfd(), POLLIN, 0});
  }
  for (const int descriptor : descriptors) items.push_back({descriptor, POLLIN, 0});
  const Nanos now = monotonic_now();
  const Nanos left = until > now ? std::min(until - now, kLoopStep) : 0;
  const timespec wait{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
  ::ppoll(items.data(), items.size(), &wait, nullptr);
}

void RunSession::read_events() {
  while (const auto event = in_.watchdog.next_event()) on_event(*event);
}

// What listens shall not call it an alarm.
void RunSession::set_canary(IncidentLane* lane) {
  const bool changed = (canary_ == nullptr) != (lane == nullptr);
  canary_ = lane;
  if (changed && in_.feed != nullptr) in_.feed->tell(&RunListener::on_window, lane != nullptr);
}

std::vector<IncidentLane*> RunSession::lanes() {
  if (canary_ == nullptr) return {&lane_};
  return {&lane_, canary_};
}

IncidentLane* RunSession::lane_of(const WatchEvent& event) {
  return (event.incident & kCanaryIncident) != 0 ? canary_ : &lane_;
}

// The canary's loads come behind those of the run.
std::vector<std::string> RunSession::names_with(
    const std::vector<std::string>& canary_loads) const {
  std::vector<std::string> names = in_.load_names();
  for (const std::string& name : canary_loads) names.push_back("canary " + name);
  return names;
}

bool RunSession::is_of_canary(std::uint32_t load) const { return load >= in_.load_names().size(); }

void RunSession::on_event(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEventKind::incident_opened:
    case WatchEventKind::incident_extended:
    case WatchEventKind::incident_resolved:
    case WatchEventKind::supported:
      if (IncidentLane* const lane = lane_of(event)) lane->on_incident(event);
      return;
    case WatchEventKind::scan_taken:
      return on_scan(event);
    case WatchEventKind::dropout_begin:
    case WatchEventKind::dropout_end:
      if (!is_of_canary(event.load)) lane_.book.note_dropout(event);
      return;
    case WatchEventKind::gap:
      return on_gap(event);
  }
}

void RunSession::on_gap(const WatchEvent& event) {
  const std::string what = take_gap(event, in_.state.clock);
  series_.note_window(event.since_ns, event.at_ns, "gap", what);
  log_event(Json{{"event", "observer_gap"}, {"ms", in_.state.clock.ms(event.at_ns)}, {"what", what}}
                .dump());
  tell_blind(what);
}

void RunSession::on_scan(const WatchEvent& event) {
  if (!in_.lens.keep_scan(in_.watchdog.evidence(), event.scan)) return;
  for (IncidentLane* const lane : lanes()) lane->on_scan(event, in_.lens);
}

void RunSession::check_watchdog() {
  const bool known = in_.watchdog.child().reaped();
  const auto status = in_.watchdog.child().try_reap();
  if (!status || known) return;
  in_.state.lost.push_back(
      fmt::format("watchdog process ended in mid-run: {}", describe_status(*status)));
  log_event(Json{{"event", "child_lost"}, {"role", "watchdog"}}.dump());
  tell_blind(in_.state.lost.back());
}

void RunSession::tell_blind(std::string_view why) const {
  if (in_.feed != nullptr) in_.feed->tell(&RunListener::on_blind, why);
}

void RunSession::check_signals() {
  while (const auto signal = in_.signals.next()) {
    in_.state.interrupted = true;
    log_event(Json{{"event", "signal"}, {"number", signal->number}}.dump());
  }
}

void RunSession::finish() {
  SessionState& state = in_.state;
  for (const std::string& thing : lane_.captures.finish(in_.run))
    state.left_behind.push_back(thing);
  state.figures.take(in_.watchdog.evidence(), in_.watchdog.child().pid(), monotonic_now());
  state.figures.probe_timeouts = in_.lens.probe_timeouts();
  in_.watchdog.command(WatchCommand::end_load);
  if (const std::string stuck = in_.watchdog.end(); !stuck.empty())
    state.left_behind.push_back(stuck);
  read_events();
  marks_.finish(state.clock, lane_.book);
  series_.close(monotonic_now(), lane_.book.incidents());
  lane_.book.save_all(state.clock.monotonic_ns);
  health_.tell(in_.feed, in_.lens, state.left_behind);
  log_event(Json{{"event", "load_ended"}, {"left_behind", state.left_behind}}.dump());
}

void RunSession::log_event(const std::string& json) {
  in_.run.append_event(fmt::format("{{\"t_ms\":{:.3f},{}", in_.state.clock.ms(monotonic_now()),
                                   std::string_view(json).substr(1)));
}

}  // namespace stallproof
