// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLoopStep = 100 * kMillisecond;
constexpr Nanos kProcLookEvery = 500 * kMillisecond;
constexpr Nanos kProcLookLimit = 2 * kSecond;

}  // namespace

VdbenchSession::VdbenchSession(const VdbenchOptions& options, RunDir run, LiveLens lens, IoLab lab,
                               Console& console)
    : options_(options),
      run_(std::move(run)),
      lens_(std::move(lens)),
      lab_(std::move(lab)),
      console_(console),
      book_({.lens = lens_,
             .run = run_,
             .evidence = lab_.watchdog().evidence(),
             .load_names = [this] { return lab_.load_names(); },
             .conclusive = [](const Explanation& each) { return each.cycle.has_value(); }}) {
  state_.clock = {.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  scanning_ = lab_.watchdog().evidence().area().scan_problem[0] == '\0';
}

void VdbenchSession::begin() {
  log_event(Json{{"event", "child"}, {"role", "watchdog"}, {"pid", lab_.watchdog().child().pid()}}
                .dump());
  state_.figures.begin(lab_.watchdog().evidence(), state_.clock.monotonic_ns);
}

void VdbenchSession::attend(Nanos until) {
  for (;;) {
    read_events();
    check_watchdog();
    check_signals();
    const Nanos now = monotonic_now();
    look_by_proc(now);
    state_.figures.check_heartbeat(lab_.watchdog().evidence(), now);
    if (now >= until || must_end()) return;
    if (lab_.worker().pid() > 0 && lab_.worker().try_reap()) return;
    wait_for_something(until);
  }
}

void VdbenchSession::wait_for_something(Nanos until) {
  std::array<pollfd, 4> items{{{lab_.watchdog().channel_fd(), POLLIN, 0},
                               {signals_.fd(), POLLIN, 0},
                               {lab_.watchdog().child().pidfd(), POLLIN, 0},
                               {lab_.worker().pidfd(), POLLIN, 0}}};
  const Nanos now = monotonic_now();
  const Nanos left = until > now ? std::min(until - now, kLoopStep) : 0;
  const timespec wait{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
  ::ppoll(items.data(), items.size(), &wait, nullptr);
}

void VdbenchSession::read_events() {
  while (const auto event = lab_.watchdog().next_event()) on_event(*event);
}

void VdbenchSession::on_event(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEventKind::incident_opened:
      return on_opened(event);
    case WatchEventKind::incident_extended:
    case WatchEventKind::incident_resolved:
      book_.update(event);
      if (event.kind != WatchEventKind::incident_resolved) return;
      log_event(Json{{"event", "stall_resolved"}, {"at_ms", state_.clock.ms(event.at_ns)}}.dump());
      return console_.problem("I/O goes on");
    case WatchEventKind::scan_taken:
      return on_scan(event);
    case WatchEventKind::dropout_begin:
    case WatchEventKind::dropout_end:
      return book_.note_dropout(event);
    case WatchEventKind::gap:
      return log_event(
          Json{{"event", "observer_gap"}, {"ms", state_.clock.ms(event.at_ns)}}.dump());
  }
}

void VdbenchSession::on_opened(const WatchEvent& event) {
  const IncidentRecord& incident = book_.open(event);
  next_proc_look_ns_ = 0;
  log_event(Json{{"event", "stall"},
                 {"incident", incident.id()},
                 {"onset_ms", state_.clock.ms(event.since_ns)},
                 {"detected_ms", state_.clock.ms(event.at_ns)}}
                .dump());
  console_.problem(fmt::format("STALL: no I/O has completed for {} (incident {})",
                               format_duration(event.at_ns - event.since_ns), incident.id()));
}

void VdbenchSession::on_scan(const WatchEvent& event) {
  if (!lens_.keep_scan(lab_.watchdog().evidence(), event.scan)) return;
  const IncidentRecord* const incident = book_.standing();
  if (incident == nullptr || event.at_ns < incident->detected_ns || incident->cycle_confirmed)
    return;
  if (auto snapshot = lens_.snapshot(our_processes())) take(std::move(*snapshot));
}

void VdbenchSession::take(LockSnapshot snapshot) {
  const auto taken = book_.take(std::move(snapshot));
  if (taken == IncidentBook::Taken::conclusive)
    console_.problem(book_.standing()->explanation->summary);
  if (taken == IncidentBook::Taken::confirmed)
    log_event(Json{{"event", "cycle_confirmed"}, {"incident", book_.standing()->id()}}.dump());
}

// Where BPF is refused.
void VdbenchSession::look_by_proc(Nanos now) {
  const IncidentRecord* const incident = book_.standing();
  if (scanning_ || incident == nullptr || incident->cycle_confirmed || now < next_proc_look_ns_)
    return;
  auto snapshot =
      lens_.snapshot_by_proc(our_processes(), kProcLookLimit, LiveLens::Others::blocked);
  next_proc_look_ns_ = monotonic_now() + kProcLookEvery;
  if (snapshot) take(std::move(*snapshot));
}

void VdbenchSession::check_watchdog() {
  const bool known = lab_.watchdog().child().reaped();
  const auto status = lab_.watchdog().child().try_reap();
  if (!status || known) return;
  state_.lost.push_back(
      fmt::format("watchdog process ended in mid-run: {}", describe_status(*status)));
  log_event(Json{{"event", "child_lost"}, {"role", "watchdog"}}.dump());
}

void VdbenchSession::check_signals() {
  while (const auto signal = signals_.next()) {
    state_.interrupted = true;
    log_event(Json{{"event", "signal"}, {"number", signal->number}}.dump());
  }
}

void VdbenchSession::finish() {
  state_.figures.take(lab_.watchdog().evidence(), lab_.watchdog().child().pid(), monotonic_now());
  state_.figures.probe_timeouts = lens_.probe_timeouts();
  lab_.watchdog().command(WatchCommand::end_load);
  if (const std::string stuck = lab_.end(); !stuck.empty()) state_.left_behind.push_back(stuck);
  read_events();
  book_.save_all(state_.clock.monotonic_ns);
  log_event(Json{{"event", "load_ended"}, {"left_behind", state_.left_behind}}.dump());
}

std::vector<pid_t> VdbenchSession::our_processes() const { return {lab_.worker().pid()}; }

void VdbenchSession::log_event(const std::string& json) {
  run_.append_event(fmt::format("{{\"t_ms\":{:.3f},{}", state_.clock.ms(monotonic_now()),
                                std::string_view(json).substr(1)));
}

}  // namespace stallproof
