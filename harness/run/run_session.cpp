// SPDX-License-Identifier: Apache-2.0
#include "harness/run/run_session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLoopStep = 100 * kMillisecond;
constexpr Nanos kProcLookEvery = 500 * kMillisecond;
constexpr Nanos kProcLookLimit = 2 * kSecond;

}  // namespace

RunSession::RunSession(Setup setup)
    : in_(std::move(setup)),
      book_({.lens = in_.lens,
             .run = in_.run,
             .evidence = in_.watchdog.evidence(),
             .load_names = in_.load_names,
             .conclusive = [](const Explanation& each) { return each.cycle.has_value(); }}) {
  in_.state.clock = {.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  scanning_ = in_.watchdog.evidence().area().scan_problem[0] == '\0';
}

void RunSession::begin() {
  log_event(
      Json{{"event", "child"}, {"role", "watchdog"}, {"pid", in_.watchdog.child().pid()}}.dump());
  in_.state.figures.begin(in_.watchdog.evidence(), in_.state.clock.monotonic_ns);
}

void RunSession::serve() {
  read_events();
  check_watchdog();
  check_signals();
  const Nanos now = monotonic_now();
  look_by_proc(now);
  take_captures(now);
  in_.state.figures.check_heartbeat(in_.watchdog.evidence(), now);
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

void RunSession::on_event(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEventKind::incident_opened:
      return on_opened(event);
    case WatchEventKind::incident_extended:
    case WatchEventKind::incident_resolved:
      book_.update(event);
      if (event.kind != WatchEventKind::incident_resolved) return;
      log_event(
          Json{{"event", "stall_resolved"}, {"at_ms", in_.state.clock.ms(event.at_ns)}}.dump());
      return in_.teller.tell_resolved(event.at_ns);
    case WatchEventKind::scan_taken:
      return on_scan(event);
    case WatchEventKind::supported:
      return book_.note_support(event);
    case WatchEventKind::dropout_begin:
    case WatchEventKind::dropout_end:
      return book_.note_dropout(event);
    case WatchEventKind::gap:
      return log_event(
          Json{{"event", "observer_gap"}, {"ms", in_.state.clock.ms(event.at_ns)}}.dump());
  }
}

void RunSession::on_opened(const WatchEvent& event) {
  const IncidentRecord& incident = book_.open(event);
  in_.captures.begin(incident);
  next_proc_look_ns_ = 0;
  log_event(Json{{"event", "stall"},
                 {"incident", incident.id()},
                 {"onset_ms", in_.state.clock.ms(event.since_ns)},
                 {"detected_ms", in_.state.clock.ms(event.at_ns)}}
                .dump());
  in_.teller.tell_stall(incident);
}

void RunSession::on_scan(const WatchEvent& event) {
  if (!in_.lens.keep_scan(in_.watchdog.evidence(), event.scan)) return;
  const IncidentRecord* const incident = book_.standing();
  if (incident == nullptr || event.at_ns < incident->detected_ns || incident->cycle_confirmed)
    return;
  if (auto snapshot = in_.lens.snapshot(in_.processes())) take(std::move(*snapshot));
}

void RunSession::take(LockSnapshot snapshot) {
  const auto taken = book_.take(std::move(snapshot));
  if (taken == IncidentBook::Taken::conclusive) in_.teller.tell_explanation(*book_.standing());
  if (taken == IncidentBook::Taken::confirmed)
    log_event(Json{{"event", "cycle_confirmed"}, {"incident", book_.standing()->id()}}.dump());
}

// Where BPF is refused.
void RunSession::look_by_proc(Nanos now) {
  const IncidentRecord* const incident = book_.standing();
  if (scanning_ || incident == nullptr || incident->cycle_confirmed || now < next_proc_look_ns_)
    return;
  auto snapshot =
      in_.lens.snapshot_by_proc(in_.processes(), kProcLookLimit, LiveLens::Others::blocked);
  next_proc_look_ns_ = monotonic_now() + kProcLookEvery;
  if (snapshot) take(std::move(*snapshot));
}

void RunSession::take_captures(Nanos now) {
  const IncidentRecord* const incident = book_.standing();
  in_.captures.serve(
      {.run = in_.run,
       .book = book_,
       .started_ns = in_.state.clock.monotonic_ns,
       .failing = incident != nullptr && incident->failing_at(now, in_.fail_after(*incident))});
}

void RunSession::check_watchdog() {
  const bool known = in_.watchdog.child().reaped();
  const auto status = in_.watchdog.child().try_reap();
  if (!status || known) return;
  in_.state.lost.push_back(
      fmt::format("watchdog process ended in mid-run: {}", describe_status(*status)));
  log_event(Json{{"event", "child_lost"}, {"role", "watchdog"}}.dump());
}

void RunSession::check_signals() {
  while (const auto signal = in_.signals.next()) {
    in_.state.interrupted = true;
    log_event(Json{{"event", "signal"}, {"number", signal->number}}.dump());
  }
}

void RunSession::finish() {
  SessionState& state = in_.state;
  for (const std::string& thing : in_.captures.finish(in_.run)) state.left_behind.push_back(thing);
  state.figures.take(in_.watchdog.evidence(), in_.watchdog.child().pid(), monotonic_now());
  state.figures.probe_timeouts = in_.lens.probe_timeouts();
  in_.watchdog.command(WatchCommand::end_load);
  if (const std::string stuck = in_.watchdog.end(); !stuck.empty())
    state.left_behind.push_back(stuck);
  read_events();
  book_.save_all(state.clock.monotonic_ns);
  log_event(Json{{"event", "load_ended"}, {"left_behind", state.left_behind}}.dump());
}

void RunSession::log_event(const std::string& json) {
  in_.run.append_event(fmt::format("{{\"t_ms\":{:.3f},{}", in_.state.clock.ms(monotonic_now()),
                                   std::string_view(json).substr(1)));
}

}  // namespace stallproof
