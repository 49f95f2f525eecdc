// SPDX-License-Identifier: Apache-2.0
// What a watch tells a person while it runs, and what it leaves running.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/explain/render.h"
#include "harness/probe/process_tree.h"
#include "harness/run/watch_run.h"

namespace stallproof {

void WatchRun::tell_explanation(const IncidentRecord& incident) {
  console_.step(incident.explained_ns - state_.clock.monotonic_ns,
                fmt::format("explained {} after detection; evidence in {}",
                            format_duration(incident.explained_ns - incident.detected_ns),
                            run_.file("incidents/" + incident.id())));
  console_.block(fmt::format("\n{}\n", render_text(*incident.explanation)));
}

void WatchRun::show_progress(Nanos now) {
  const std::string phase = fmt::format("{} processes", members_.size());
  const auto& last = counters_.last();
  const auto& before = counters_.before();
  // What a command writes to the terminal that it shares with us must stay whole.
  if (before.at_ns == 0 || command_) return console_.pass(phase);
  const double seconds = static_cast<double>(last.at_ns - before.at_ns) / 1e9;
  const auto grown = last.completed > before.completed ? last.completed - before.completed : 0;
  console_.progress(
      fmt::format("{:6.1f} s  {} processes, {:.0f} calls/s completed, {} blocked{}",
                  state_.clock.ms(now) / 1e3, members_.size(), static_cast<double>(grown) / seconds,
                  last.in_flight, book_.standing() != nullptr ? ", STALL" : ""),
      phase);
}

// Nothing of it is ours to end: it is named, with what would end it.
void WatchRun::name_what_is_left() {
  if (!command_) return;
  next_members_ns_ = 0;
  refresh_members(monotonic_now());
  for (const pid_t pid : members_)
    state_.left_behind.push_back(
        fmt::format("process {} ({}) of the command still runs", pid, name_of_process(pid)));
  for (const std::string& thing : state_.left_behind) console_.result("left running: " + thing);
}

void WatchRun::log_event(const std::string& json) {
  run_.append_event(fmt::format("{{\"t_ms\":{:.3f},{}", state_.clock.ms(monotonic_now()),
                                std::string_view(json).substr(1)));
}

}  // namespace stallproof
