// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/raw_execution.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/run/vdbench/corruption_text.h"
#include "workloads/vdbench/report/histogram_text.h"
#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

// So many I/Os that were to be made, and none was: not by chance.
constexpr double kSurelySome = 20;

// The one value that all have; nothing when they differ.
template <class Get>
std::optional<double> common_value(const std::vector<JobStream>& streams, Get get) {
  std::optional<double> value;
  for (const JobStream& stream : streams) {
    const std::optional<double> one = get(stream);
    if (!one || (value && *value != *one)) return std::nullopt;
    value = one;
  }
  return value;
}

FlatRaw flat_of(const RawRun& run) {
  const std::vector<JobStream>& streams = run.job.streams;
  const auto of = [&streams](double JobStream::*field) {
    return common_value(
        streams, [field](const JobStream& each) { return std::optional<double>(each.*field); });
  };
  FlatRaw flat{.requested_rate = run.rate,
               .read_percent = of(&JobStream::read_percent),
               .read_hits = of(&JobStream::read_hits),
               .write_hits = of(&JobStream::write_hits),
               .seek_percent = of(&JobStream::seek_percent)};
  flat.xfersize = common_value(streams, [](const JobStream& each) {
    return each.xfersizes.size() == 1 ? std::optional(each.xfersizes[0]) : std::nullopt;
  });
  flat.threads = common_value(streams, [&run](const JobStream& each) {
    return std::optional<double>(run.job.files[each.file].threads);
  });
  for (const JobFile& file : run.job.files) flat.lun_bytes += static_cast<double>(file.size);
  return flat;
}

}  // namespace

RawExecution::RawExecution(Setup setup, const RawRun& run)
    : RunExecution(std::move(setup)),
      run_(run),
      sampler_(run.job, in_.session.lab().board(), in_.session.lab().panel()),
      flat_(flat_of(run)),
      longest_read_us_(run.job.streams.size()),
      longest_write_us_(run.job.streams.size()),
      first_read_us_(run.job.streams.size()),
      first_write_us_(run.job.streams.size()) {}

void RawExecution::number_interval(std::uint32_t interval) {
  in_.session.lab().panel().header().interval.store(interval);
}

void RawExecution::begin(Nanos now) {
  cpu_.lap();
  measured_cpu_.lap();
  last_ = measured_ = sampler_.sample(now, interval());
}

void RawExecution::tell_interval(Nanos now, bool left_out) {
  const IoSample sample = sampler_.sample(now, interval());
  const RawRow row{.label = std::to_string(interval()),
                   .totals = difference(sample.all(), last_.all()),
                   .seconds = static_cast<double>(now - last_.at_ns) * 1e-9,
                   .cpu = cpu_.lap()};
  const std::string time = clock_text(realtime_now());
  in_.output.interval({.header = raw_header(date_text(realtime_now())),
                       .line = raw_row(time, row),
                       .flat = flat_line(row, time),
                       .named = named_rows(sample, last_, row, time)});
  const OpTotals all = reads_and_writes(row.totals);
  in_.session.note_interval({.at_ms = in_.session.state().clock.ms(now),
                             .run = in_.heading.name,
                             .interval = row.label,
                             .rate = per_second(all.count, row.seconds),
                             .megabytes = mib_per_second(all.bytes, row.seconds),
                             .in_flight = queue_depth(row.totals, row.seconds),
                             .oldest_ms = static_cast<double>(sample.oldest_ns) / 1e6});
  for (std::size_t i = 0; i < sample.streams.size(); ++i) {
    double& read = left_out ? first_read_us_[i] : longest_read_us_[i];
    double& write = left_out ? first_write_us_[i] : longest_write_us_[i];
    read = std::max(read, sample.streams[i].read.max_us);
    write = std::max(write, sample.streams[i].write.max_us);
  }
  last_ = sample;
  if (!left_out) return;
  measured_ = sample;
  measured_cpu_.lap();
}

void RawExecution::tell_totals(const std::string& label) {
  IoSample end = last_;
  if (nothing_measured_) {
    longest_read_us_ = first_read_us_;
    longest_write_us_ = first_write_us_;
    measured_ = IoSample{.at_ns = began_ns(),
                         .streams = std::vector<IoTotals>(end.streams.size()),
                         .waiting_us = std::vector<double>(end.waiting_us.size())};
  }
  for (std::size_t i = 0; i < end.streams.size(); ++i) {
    end.streams[i].read.max_us = longest_read_us_[i];
    end.streams[i].write.max_us = longest_write_us_[i];
  }
  const RawRow row{.label = label,
                   .totals = difference(end.all(), measured_.all()),
                   .seconds = static_cast<double>(end.at_ns - measured_.at_ns) * 1e-9,
                   .cpu = measured_cpu_.since()};
  const std::string time = clock_text(realtime_now());
  in_.output.total({.line = raw_row(time, row),
                    .flat = flat_line(row, time),
                    .named = named_rows(end, measured_, row, time),
                    .histogram = histogram_text(row.totals)});
  const OpTotals all = reads_and_writes(row.totals);
  if (all.count == 0 && !abort_ && !in_.session.must_end() && run_.rate * row.seconds > kSurelySome)
    fail_run("no I/O completed");
  measured_rate_ = per_second(all.count, row.seconds);
  measured_response_ms_ = response_ms(all);
}

std::vector<RowTexts::Named> RawExecution::named_rows(const IoSample& now, const IoSample& before,
                                                      const RawRow& all,
                                                      const std::string& time) const {
  std::vector<RowTexts::Named> rows;
  const auto add = [&](const std::string& name, bool is_sd, std::size_t index) {
    RawRow row = all;
    row.totals = {};
    for (std::size_t i = 0; i < run_.job.streams.size(); ++i) {
      const JobStream& stream = run_.job.streams[i];
      if ((is_sd ? stream.file : stream.workload) == index)
        row.totals += difference(now.streams[i], before.streams[i]);
    }
    if (is_sd)
      row.totals.outstanding_us = std::max(
          0.0, row.totals.outstanding_us + now.waiting_us[index] - before.waiting_us[index]);
    rows.push_back({name, raw_row(time, row)});
  };
  for (std::size_t i = 0; i < run_.job.files.size(); ++i) add(run_.job.files[i].name, true, i);
  for (std::size_t i = 0; i < run_.workloads.size(); ++i) add(run_.workloads[i], false, i);
  return rows;
}

std::string RawExecution::flat_line(const RawRow& row, const std::string& time) const {
  FlatRaw flat = flat_;
  flat.stamp = {time, flat_time(realtime_now()), in_.heading.name};
  return flat_raw_line(flat, row);
}

std::uint64_t RawExecution::take_faults() {
  const IoPanel& panel = in_.session.lab().panel();
  for (const FaultRecord& fault : panel.faults_since(next_fault_)) {
    const JobFile& file = run_.job.files[run_.job.streams[fault.stream].file];
    if (fault.error == kCorruption)
      for (const std::string& line : corruption_lines(file, fault)) in_.output.error(line);
    // Further bad blocks of one I/O are not I/Os of their own.
    if (fault.error == kCorruption && fault.block.place > 0) {
      ++faults_of_same_io_;
      continue;
    }
    in_.output.error(io_error_line({.at_ns = fault.realtime_ns,
                                    .operation = fault.write ? "write" : "read",
                                    .lun = file.path,
                                    .offset = fault.offset,
                                    .size = fault.size,
                                    .error = fault.error}));
  }
  return panel.header().faults.ever() - faults_of_same_io_;
}

void RawExecution::check_limits() {
  if (run_.max_bytes == 0 && run_.max_bytes_read == 0 && run_.max_bytes_written == 0) return;
  const IoTotals sum = sampler_.sample(monotonic_now(), interval()).all();
  const auto reached = [](double limit, std::uint64_t bytes) {
    return limit > 0 && static_cast<double>(bytes) >= limit;
  };
  if (reached(run_.max_bytes, sum.read.bytes + sum.write.bytes) ||
      reached(run_.max_bytes_read, sum.read.bytes) ||
      reached(run_.max_bytes_written, sum.write.bytes))
    stop("maxdata");
}

bool RawExecution::may_end() const {
  return std::any_of(run_.job.streams.begin(), run_.job.streams.end(),
                     [](const JobStream& each) { return each.stop_at_end; });
}

std::string RawExecution::object_of(std::size_t slot) const {
  for (const JobFile& file : run_.job.files)
    if (slot >= file.first_slot && slot < file.first_slot + file.threads)
      return fmt::format("sd={} lun={}", file.name, file.path);
  return "?";
}

}  // namespace stallproof
