// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/raw_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/run/vdbench/run_commands.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kLook = 50 * kMillisecond;
// In sooner than this after the last row nothing worth a row of its own can have happened.
constexpr Nanos kShortestInterval = 10 * kMillisecond;
// So many I/Os that were to be made, and none was: not by chance.
constexpr double kSurelySome = 20;

Nanos seconds(double value) { return static_cast<Nanos>(value * 1e9); }

}  // namespace

RawExecution::RawExecution(Setup setup)
    : in_(std::move(setup)),
      sampler_(in_.run.job, in_.session.lab().board(), in_.session.lab().panel()),
      longest_read_us_(in_.run.job.streams.size()),
      longest_write_us_(in_.run.job.streams.size()),
      first_read_us_(in_.run.job.streams.size()),
      first_write_us_(in_.run.job.streams.size()) {}

Result<> RawExecution::execute() {
  IoLab& lab = in_.session.lab();
  if (auto up = lab.start_worker(in_.run.job); !up) return up;
  in_.output.start_run(in_.heading);
  in_.session.log_event(
      Json{{"event", "run_started"},
           {"run", in_.heading.name},
           {"worker", lab.worker().pid()},
           {"engine", in_.run.job.engine == IoEngine::uring ? "io_uring" : "psync"}}
          .dump());
  lab.panel().header().interval.store(1);
  cpu_.lap();
  began_ns_ = monotonic_now();
  last_ = sampler_.sample(began_ns_, 1);
  first_measured_ = static_cast<std::uint32_t>(in_.times.warmup / in_.times.interval) + 1;
  if (in_.times.warmup == 0) {
    measured_ = last_;
    measured_cpu_.lap();
  }
  lab.run_load();
  run_intervals();
  lab.stop_load();
  tell_totals();
  drain();
  in_.output.status("Slaves done");
  in_.session.log_event(
      Json{{"event", "run_ended"}, {"run", in_.heading.name}, {"why", ended_by_}}.dump());
  return {};
}

void RawExecution::run_intervals() {
  const Nanos step = seconds(in_.times.interval);
  const Nanos end =
      in_.times.elapsed ? began_ns_ + seconds(in_.times.warmup + *in_.times.elapsed) : ~Nanos{0};
  while (!over_) {
    const Nanos due = std::min(began_ns_ + interval_ * step, end);
    attend_until(due);
    const Nanos now = monotonic_now();
    if (now >= due || now > last_->at_ns + kShortestInterval) close_interval(now);
    if (now >= end) stop("elapsed");
    ++interval_;
    in_.session.lab().panel().header().interval.store(interval_);
  }
}

void RawExecution::attend_until(Nanos until) {
  while (!over_) {
    const Nanos now = monotonic_now();
    if (now >= until) return;
    in_.session.attend(std::min(until, now + kLook));
    take_faults();
    if (in_.session.must_end()) stop(in_.session.state().interrupted ? "signal" : "process lost");
    if (in_.session.lab().worker().reaped()) stop("all done");
    check_data_limit(sampler_.sample(monotonic_now(), interval_).all());
  }
}

void RawExecution::stop(const std::string& why) {
  if (!over_) ended_by_ = why;
  over_ = true;
}

void RawExecution::close_interval(Nanos now) {
  const IoSample sample = sampler_.sample(now, interval_);
  RawRow row{.label = std::to_string(interval_),
             .totals = difference(sample.all(), last_->all()),
             .seconds = static_cast<double>(now - last_->at_ns) * 1e-9,
             .cpu = cpu_.lap()};
  in_.output.interval(in_.heading, row, named_rows(sample, *last_, row));
  note_row(sample, row, now);
  const bool warming = interval_ < first_measured_;
  // Without a warmup the first interval, in which all begins, is left out of the totals.
  const bool left_out = warming || (in_.times.warmup == 0 && interval_ == 1);
  if (interval_ + 1 == first_measured_) in_.output.status("Warmup done");
  if (left_out) {
    measured_ = sample;
    measured_cpu_.lap();
    first_measured_ = interval_ + 1;
  }
  for (std::size_t i = 0; i < sample.streams.size(); ++i) {
    double& read = left_out ? first_read_us_[i] : longest_read_us_[i];
    double& write = left_out ? first_write_us_[i] : longest_write_us_[i];
    read = std::max(read, sample.streams[i].read.max_us);
    write = std::max(write, sample.streams[i].write.max_us);
  }
  last_ = sample;
  if (!warming) check_timeout(sample);
  check_monitor();
}

// Our own series: the age of the oldest I/O beside each row.
void RawExecution::note_row(const IoSample& sample, const RawRow& row, Nanos now) {
  in_.output.note_series(in_.heading, row, in_.session.state().clock.ms(now),
                         static_cast<double>(sample.oldest_ns) / 1e6);
}

std::vector<NamedRow> RawExecution::named_rows(const IoSample& now, const IoSample& before,
                                               const RawRow& all) const {
  std::vector<NamedRow> rows;
  const auto add = [&](const std::string& name, bool is_sd, std::size_t index) {
    NamedRow row{.name = name, .sd = is_sd, .row = all};
    row.row.totals = {};
    for (std::size_t i = 0; i < in_.run.job.streams.size(); ++i) {
      const JobStream& stream = in_.run.job.streams[i];
      if ((is_sd ? stream.file : stream.workload) == index)
        row.row.totals += difference(now.streams[i], before.streams[i]);
    }
    if (is_sd)
      row.row.totals.outstanding_us = std::max(
          0.0, row.row.totals.outstanding_us + now.waiting_us[index] - before.waiting_us[index]);
    rows.push_back(std::move(row));
  };
  for (std::size_t i = 0; i < in_.run.job.files.size(); ++i)
    add(in_.run.job.files[i].name, true, i);
  for (std::size_t i = 0; i < in_.run.workloads.size(); ++i) add(in_.run.workloads[i], false, i);
  return rows;
}

void RawExecution::tell_totals() {
  const std::uint32_t last_interval = interval_ - 1;
  IoSample end = *last_;
  // Ended before its measured part began: all of it counts.
  if (measured_->at_ns >= end.at_ns) {
    first_measured_ = 1;
    longest_read_us_ = first_read_us_;
    longest_write_us_ = first_write_us_;
    measured_ = IoSample{.at_ns = began_ns_,
                         .streams = std::vector<IoTotals>(end.streams.size()),
                         .waiting_us = std::vector<double>(end.waiting_us.size())};
  }
  for (std::size_t i = 0; i < end.streams.size(); ++i) {
    end.streams[i].read.max_us = longest_read_us_[i];
    end.streams[i].write.max_us = longest_write_us_[i];
  }
  const RawRow row{.label = fmt::format("avg_{}-{}", first_measured_, last_interval),
                   .totals = difference(end.all(), measured_->all()),
                   .seconds = static_cast<double>(end.at_ns - measured_->at_ns) * 1e-9,
                   .cpu = measured_cpu_.since()};
  in_.output.total(in_.heading, row, named_rows(end, *measured_, row));
  const auto ios = static_cast<double>(row.totals.read.count + row.totals.write.count);
  const double wanted = in_.run.rate * row.seconds;
  if (ios == 0 && !abort_ && !in_.session.must_end() && wanted > kSurelySome)
    in_.session.state().failures.push_back(
        fmt::format("rd={}: no I/O completed", in_.heading.name));
  measured_rate_ = row.seconds > 0 ? ios / row.seconds : 0;
  measured_response_ms_ =
      ios > 0 ? (row.totals.read.response_us + row.totals.write.response_us) / ios / 1e3 : 0;
}

// What is in flight may still complete; what does not is named.
void RawExecution::drain() {
  IoLab& lab = in_.session.lab();
  const Nanos limit = monotonic_now() + in_.session.options().thresholds.fail_after;
  Nanos told = monotonic_now();
  while (!lab.worker().reaped() && monotonic_now() < limit && !in_.session.must_end()) {
    in_.session.attend(std::min(limit, monotonic_now() + kLook));
    take_faults();
    if (monotonic_now() < told + 15 * kSecond || lab.worker().reaped()) continue;
    told = monotonic_now();
    in_.output.say(fmt::format("Waiting {} seconds for active threads to complete",
                               (limit - std::min(limit, told)) / kSecond));
  }
  take_faults();
  check_worker();
  tell_open_ios();
  if (!lab.worker().reaped() && in_.session.state().interrupted)
    in_.session.attend(monotonic_now() + kSecond);
  const std::string stuck = lab.end_worker();
  if (!stuck.empty()) in_.session.state().left_behind.push_back(stuck);
}

// A worker that has ended well has done all there was to do.
void RawExecution::check_worker() {
  Child& worker = in_.session.lab().worker();
  if (!worker.reaped() || in_.session.must_end()) return;
  const int status = *worker.try_reap();
  const bool may_end = std::any_of(in_.run.job.streams.begin(), in_.run.job.streams.end(),
                                   [](const JobStream& each) { return each.stop_at_end; });
  if (status == 0 && (ended_by_ != "all done" || may_end)) return;
  in_.session.state().lost.push_back(fmt::format("rd={}: the worker ended before its time: {}",
                                                 in_.heading.name, describe_status(status)));
}

void RawExecution::tell_open_ios() {
  if (in_.session.lab().worker().reaped()) return;
  constexpr std::size_t kNamed = 20;
  const auto open = open_ios(in_.run.job, in_.session.lab().board(), monotonic_now());
  for (std::size_t i = 0; i < std::min(open.size(), kNamed); ++i) {
    const JobFile& file = in_.run.job.files[open[i].file];
    in_.session.state().never_ended.push_back(
        fmt::format("{} of sd={} lun={} lba={:#x} has not completed for {} (thread {})",
                    open[i].write ? "write" : "read", file.name, file.path, open[i].offset,
                    format_duration(open[i].age_ns), open[i].tid));
    in_.output.error(in_.session.state().never_ended.back());
  }
  if (open.size() > kNamed)
    in_.output.error(fmt::format("and {} more I/Os that have not completed", open.size() - kNamed));
}

void RawExecution::take_faults() {
  for (const FaultRecord& fault : in_.session.lab().panel().faults_since(next_fault_))
    in_.output.error(fault_line(fault));
  const auto limit = static_cast<std::uint64_t>(std::max(1.0, in_.general.data_errors.limit));
  in_.output.note_faults(in_.session.lab().panel().header().faults.ever());
  if (abort_ || in_.output.faults() < limit) return;
  abort_ = Abort{fmt::format("'data_errors={}' requested. Abort rd={} after last error.", limit,
                             in_.heading.name)};
  if (!in_.general.data_errors.command.empty())
    run_shell(in_.general.data_errors.command, in_.session, in_.output);
  stop("data_errors");
}

std::string RawExecution::fault_line(const FaultRecord& fault) const {
  const JobFile& file = in_.run.job.files[in_.run.job.streams[fault.stream].file];
  return io_error_line({.at_ns = fault.realtime_ns,
                        .write = fault.write,
                        .lun = file.path,
                        .offset = fault.offset,
                        .size = fault.size,
                        .error = fault.error});
}

void RawExecution::check_data_limit(const IoTotals& sum) {
  const auto reached = [](double limit, std::uint64_t bytes) {
    return limit > 0 && static_cast<double>(bytes) >= limit;
  };
  if (reached(in_.run.max_bytes, sum.read.bytes + sum.write.bytes) ||
      reached(in_.run.max_bytes_read, sum.read.bytes) ||
      reached(in_.run.max_bytes_written, sum.write.bytes))
    stop("maxdata");
}

// timeout=, looked at after each interval as in vdbench.
void RawExecution::check_timeout(const IoSample& sample) {
  const TimeoutRule& rule = in_.general.timeout;
  if (rule.report_after == 0 || abort_ || sample.oldest_ns < seconds(rule.report_after)) return;
  const double age = static_cast<double>(sample.oldest_ns) * 1e-9;
  if (sample.at_ns >= told_late_ns_ + seconds(rule.report_after)) {
    told_late_ns_ = sample.at_ns;
    in_.output.say(
        fmt::format("timeout={:.0f} value exceeded. See errorlog.html", rule.report_after));
    for (const OpenIo& io : open_ios(in_.run.job, in_.session.lab().board(), sample.at_ns)) {
      if (io.age_ns < seconds(rule.report_after)) break;
      in_.output.error_only(
          fmt::format("timeout={:.0f} value exceeded for sd={} on slave=localhost-0 for {:3.0f} "
                      "seconds. lba: {:#x}",
                      rule.report_after, in_.run.job.files[io.file].name,
                      static_cast<double>(io.age_ns) * 1e-9, io.offset));
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

void RawExecution::check_monitor() {
  if (in_.general.monitor.empty()) return;
  const std::string wish = monitor_wish(in_.general.monitor);
  if (wish == "end_rd") stop("monitor");
  if (wish != "end_vdbench") return;
  abort_ = Abort{};
  stop("monitor");
}

}  // namespace stallproof
