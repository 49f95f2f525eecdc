// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/run_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/saturated.h"
#include "harness/base/units.h"
#include "harness/run/vdbench/run_commands.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLook = 50 * kMillisecond;
constexpr Nanos kAfterInterrupt = 2 * kSecond;
constexpr Nanos kTellWaitEvery = 15 * kSecond;
// In sooner than this after the last row nothing worth a row of its own can have happened.
constexpr Nanos kShortestInterval = 10 * kMillisecond;

// What is longer than thirty years does not end.
Nanos seconds(double value) { return saturated<Nanos>(std::min(value, 1e9) * 1e9); }

}  // namespace

Result<> RunExecution::execute() {
  IoLab& lab = in_.session.lab();
  if (auto up = start_worker(); !up) return up;
  in_.output.start_run(in_.heading);
  in_.session.log_event(
      Json{{"event", "run_started"}, {"run", in_.heading.name}, {"worker", lab.worker().pid()}}
          .dump());
  number_interval(interval_);
  first_measured_ = static_cast<std::uint32_t>(in_.times.warmup / in_.times.interval) + 1;
  began_ns_ = closed_ns_ = monotonic_now();
  begin(began_ns_);
  lab.run_load();
  run_intervals();
  lab.stop_load();
  finish();
  drain();
  in_.output.status("Slaves done");
  in_.session.log_event(
      Json{{"event", "run_ended"}, {"run", in_.heading.name}, {"why", ended_by_}}.dump());
  return {};
}

void RunExecution::run_intervals() {
  const Nanos step = seconds(in_.times.interval);
  const Nanos end =
      in_.times.elapsed ? began_ns_ + seconds(in_.times.warmup + *in_.times.elapsed) : ~Nanos{0};
  while (!over_) {
    const Nanos due = std::min(began_ns_ + interval_ * step, end);
    attend_until(due);
    const Nanos now = monotonic_now();
    if (now >= due || now > closed_ns_ + kShortestInterval) close_interval(now);
    if (now >= end) stop("elapsed");
    number_interval(++interval_);
  }
}

void RunExecution::attend_until(Nanos until) {
  while (!over_) {
    const Nanos now = monotonic_now();
    if (now >= until) return;
    in_.session.attend(std::min(until, now + kLook));
    check_faults();
    if (in_.session.must_end()) stop(in_.session.state().interrupted ? "signal" : "process lost");
    if (in_.session.lab().worker().reaped()) stop("all done");
    check_limits();
  }
}

void RunExecution::stop(const std::string& why) {
  if (!over_) ended_by_ = why;
  over_ = true;
}

void RunExecution::fail_run(const std::string& why) {
  in_.session.state().failures.push_back(fmt::format("rd={}: {}", in_.heading.name, why));
}

void RunExecution::close_interval(Nanos now) {
  const bool warming = interval_ < first_measured_;
  // Without a warmup the first interval, in which all begins, is left out of the totals.
  const bool left_out = warming || (in_.times.warmup == 0 && interval_ == 1);
  tell_interval(now, left_out);
  closed_ns_ = now;
  if (interval_ + 1 == first_measured_) in_.output.status("Warmup done");
  if (left_out) first_measured_ = interval_ + 1;
  if (!warming) check_timeout(now);
  check_monitor();
}

void RunExecution::finish() {
  const std::uint32_t last = interval_ - 1;
  nothing_measured_ = first_measured_ > last;
  if (nothing_measured_) first_measured_ = 1;
  tell_totals(fmt::format("avg_{}-{}", first_measured_, last));
}

// What is in flight may still complete; what does not is named.
void RunExecution::drain() {
  IoLab& lab = in_.session.lab();
  const Nanos limit = monotonic_now() + in_.session.options().thresholds.fail_after;
  Nanos told = monotonic_now();
  while (!lab.worker().reaped() && !in_.session.must_end() &&
         (monotonic_now() < limit || in_.session.needs_the_stall())) {
    in_.session.attend(monotonic_now() + kLook);
    check_faults();
    if (monotonic_now() < told + kTellWaitEvery || lab.worker().reaped()) continue;
    told = monotonic_now();
    in_.output.say(fmt::format("Waiting {} seconds for active threads to complete",
                               (limit - std::min(limit, told)) / kSecond));
  }
  // Whoever interrupts waits no longer than it takes what is well to end.
  if (in_.session.must_end()) lab.worker_ended(Deadline::in(kAfterInterrupt));
  check_faults();
  check_worker();
  tell_open_ios();
  const std::string stuck = lab.end_worker();
  if (!stuck.empty()) in_.session.state().left_behind.push_back(stuck);
}

// A worker that has ended well has done all there was to do.
void RunExecution::check_worker() {
  Child& worker = in_.session.lab().worker();
  if (!worker.reaped() || in_.session.must_end()) return;
  if (const std::string why = given_up(); !why.empty()) {
    abort_ = Abort{};
    return fail_run(why);
  }
  const int status = *worker.try_reap();
  if (status == 0 && (ended_by_ != "all done" || may_end())) return;
  in_.session.state().lost.push_back(fmt::format("rd={}: the worker ended before its time: {}",
                                                 in_.heading.name, describe_status(status)));
}

void RunExecution::tell_open_ios() {
  if (in_.session.lab().worker().reaped()) return;
  constexpr std::size_t kNamed = 20;
  const auto open = open_ios(in_.session.lab().board(), monotonic_now());
  for (std::size_t i = 0; i < std::min(open.size(), kNamed); ++i) {
    in_.session.state().never_ended.push_back(fmt::format(
        "{} of {} lba={:#x} has not completed for {} (thread {})", op_name(open[i].op),
        object_of(open[i].slot), open[i].offset, format_duration(open[i].age_ns), open[i].tid));
    in_.output.error(in_.session.state().never_ended.back());
  }
  if (open.size() > kNamed)
    in_.output.error(fmt::format("and {} more I/Os that have not completed", open.size() - kNamed));
}

void RunExecution::check_faults() {
  in_.output.note_faults(take_faults());
  const auto limit = static_cast<std::uint64_t>(std::max(1.0, in_.general.data_errors.limit));
  if (abort_ || in_.output.faults() < limit) return;
  abort_ = Abort{fmt::format("'data_errors={}' requested. Abort rd={} after last error.", limit,
                             in_.heading.name)};
  if (!in_.general.data_errors.command.empty())
    run_shell(in_.general.data_errors.command, in_.session, in_.output);
  stop("data_errors");
}

// timeout=, looked at after each interval as in vdbench.
void RunExecution::check_timeout(Nanos now) {
  const TimeoutRule& rule = in_.general.timeout;
  if (rule.report_after == 0 || abort_) return;
  const auto open = open_ios(in_.session.lab().board(), now);
  if (open.empty() || open.front().age_ns < seconds(rule.report_after)) return;
  const double age = static_cast<double>(open.front().age_ns) * 1e-9;
  if (now >= told_late_ns_ + seconds(rule.report_after)) {
    told_late_ns_ = now;
    in_.output.say(
        fmt::format("timeout={:.0f} value exceeded. See errorlog.html", rule.report_after));
    for (const OpenIo& io : open) {
      if (io.age_ns < seconds(rule.report_after)) break;
      in_.output.error_only(fmt::format(
          "timeout={:.0f} value exceeded for {} on "
          "slave=localhost-0 for {:3.0f} seconds. lba: {:#x}",
          rule.report_after, object_of(io.slot), static_cast<double>(io.age_ns) * 1e-9, io.offset));
    }
  }
  if (!rule.script.empty() &&
      run_shell(fmt::format("{} maxlate {:.1f}", rule.script, age), in_.session, in_.output)
              .find("abort") != std::string::npos)
    abort_ = Abort{
        fmt::format("timeout={:.0f}: {} requested an abort.", rule.report_after, rule.script)};
  if (rule.abort_after > 0 && age >= rule.abort_after)
    abort_ = Abort{fmt::format("Maximum timeout=({:.0f},{:.0f}) has been reached.",
                               rule.report_after, rule.abort_after)};
  if (abort_) stop("timeout");
}

void RunExecution::check_monitor() {
  if (in_.general.monitor.empty()) return;
  const std::string wish = monitor_wish(in_.general.monitor);
  if (wish == "end_rd") stop("monitor");
  if (wish != "end_vdbench") return;
  abort_ = Abort{};
  stop("monitor");
}

}  // namespace stallproof
