// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/file_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/report/flat_files.h"
#include "workloads/vdbench/report/histogram_text.h"
#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

OpTotals difference(const OpTotals& later, const OpTotals& earlier) {
  OpTotals out = later;
  out.count -= earlier.count;
  out.bytes -= earlier.bytes;
  out.response_us = std::max(0.0, out.response_us - earlier.response_us);
  out.response_us_squared = std::max(0.0, out.response_us_squared - earlier.response_us_squared);
  for (std::size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i] -= earlier.buckets[i];
  return out;
}

FileTotals difference(const FileTotals& later, const FileTotals& earlier) {
  FileTotals out;
  for (std::size_t i = 0; i < kFileOperations; ++i)
    out.operations[i] = difference(later.operations[i], earlier.operations[i]);
  return out;
}

// Operations a second of which none is to be expected by chance.
constexpr double kSurelySome = 1;

}  // namespace

FileOperations used_operations(const Plan& plan) {
  FileOperations used;
  for (const PlannedRun& run : plan.runs) {
    const auto made = file_run_of({.set = plan.set, .run = run});
    if (!made) continue;
    for (const JobFileWorkload& workload : made->job.workloads)
      used.add(requested_operations(workload, run.format));
  }
  return used;
}

FileExecution::FileExecution(Setup setup, const FileRun& run, const FileOperations& used)
    : RunExecution(std::move(setup)),
      run_(run),
      used_(used),
      longest_(run.job.workloads.size()),
      first_(run.job.workloads.size()) {
  for (const JobFileWorkload& workload : run.job.workloads)
    requested_.add(requested_operations(workload, in_.heading.format));
}

void FileExecution::number_interval(std::uint32_t interval) {
  in_.session.lab().file_panel().header().interval.store(interval);
}

FileExecution::Sample FileExecution::sample() const {
  Sample found;
  const FilePanel& panel = in_.session.lab().file_panel();
  for (const JobFileWorkload& workload : run_.job.workloads)
    found.push_back(panel.totals(workload.first_slot, workload.threads, interval(), requested_));
  return found;
}

void FileExecution::begin(Nanos now) {
  cpu_.lap();
  measured_cpu_.lap();
  last_ = measured_ = sample();
  last_ns_ = measured_ns_ = now;
}

FileRow FileExecution::row_of(const std::string& label, const Sample& now, const Sample& before,
                              double seconds, const CpuShares& cpu) const {
  FileRow row{.label = label, .seconds = seconds, .cpu = cpu, .requested = requested_};
  for (std::size_t i = 0; i < now.size(); ++i) row.totals += difference(now[i], before[i]);
  return row;
}

void FileExecution::tell_interval(Nanos now, bool left_out) {
  const Sample found = sample();
  const FileRow row = row_of(std::to_string(interval()), found, last_,
                             static_cast<double>(now - last_ns_) * 1e-9, cpu_.lap());
  const std::string time = clock_text(realtime_now());
  in_.output.interval(
      {.header = file_header(date_text(realtime_now()), used_),
       .line = file_row(time, row, used_),
       .flat = flat_files_line({.stamp = {time, flat_time(realtime_now()), in_.heading.name},
                                .requested_rate = run_.rate},
                               row),
       .named = named_rows(row, found, last_, time)});
  const OpTotals all = row.totals.sum(requested_);
  const OpTotals moved = row.totals.sum({FileOperation::read, FileOperation::write});
  const auto open = open_ios(in_.session.lab().board(), now);
  in_.session.note_interval(
      {.at_ms = in_.session.state().clock.ms(now),
       .run = in_.heading.name,
       .interval = row.label,
       .rate = per_second(all.count, row.seconds),
       .megabytes = mib_per_second(moved.bytes, row.seconds),
       .in_flight = static_cast<double>(open.size()),
       .oldest_ms = open.empty() ? 0 : static_cast<double>(open.front().age_ns) / 1e6});
  tell_progress(now);
  note_longest(found, left_out);
  last_ = found;
  last_ns_ = now;
  if (!left_out) {
    spread_.add(row.totals, row.seconds);
    return;
  }
  measured_ = found;
  measured_ns_ = now;
  measured_cpu_.lap();
}

void FileExecution::note_longest(const Sample& now, bool left_out) {
  Sample& into = left_out ? first_ : longest_;
  for (std::size_t i = 0; i < now.size(); ++i)
    for (std::size_t op = 0; op < kFileOperations; ++op)
      into[i].operations[op].max_us =
          std::max(into[i].operations[op].max_us, now[i].operations[op].max_us);
}

// How far a format is; on a terminal, beside the rows.
void FileExecution::tell_progress(Nanos) {
  if (!in_.heading.format) return;
  std::uint64_t wanted = 0, made = 0;
  for (const AnchorProgress& each : in_.session.lab().file_panel().progress()) {
    wanted += each.files_wanted.load();
    made += each.files_made.load();
  }
  if (wanted > 0)
    in_.session.console().progress(
        fmt::format("{}: {} of {} files", in_.heading.name, made, wanted));
}

void FileExecution::tell_totals(const std::string& label) {
  Sample end = last_;
  if (nothing_measured_) {
    longest_ = first_;
    measured_.assign(end.size(), {});
    measured_ns_ = began_ns();
  }
  for (std::size_t i = 0; i < end.size(); ++i)
    for (std::size_t op = 0; op < kFileOperations; ++op)
      end[i].operations[op].max_us = longest_[i].operations[op].max_us;
  const FileRow row =
      row_of(label, end, measured_, static_cast<double>(last_ns_ - measured_ns_) * 1e-9,
             measured_cpu_.since());
  const std::string time = clock_text(realtime_now());
  const OpTotals all = row.totals.sum(requested_);
  in_.output.total(
      {.line = file_row(time, row, used_) + file_spread_rows(time, row, spread_, used_),
       .flat = flat_files_line({.stamp = {time, flat_time(realtime_now()), in_.heading.name},
                                .requested_rate = run_.rate},
                               row, spread_),
       .named = named_rows(row, end, measured_, time),
       .histogram = histogram_table("Total of all requested operations since warmup: ", all)});
  if (all.count == 0 && !in_.heading.format && !abort_ && !in_.session.must_end() &&
      row.seconds > kSurelySome)
    fail_run("no operation completed");
  measured_rate_ = per_second(all.count, row.seconds);
  measured_response_ms_ = response_ms(all);
}

std::vector<RowTexts::Named> FileExecution::named_rows(const FileRow& all, const Sample& now,
                                                       const Sample& before,
                                                       const std::string& time) const {
  std::vector<RowTexts::Named> rows;
  const auto add = [&](const std::string& name, auto belongs) {
    FileRow row = all;
    row.totals = {};
    for (std::size_t i = 0; i < now.size(); ++i)
      if (belongs(run_.job.workloads[i])) row.totals += difference(now[i], before[i]);
    rows.push_back({name, file_row(time, row, used_)});
  };
  for (std::uint32_t i = 0; i < run_.job.anchors.size(); ++i)
    add(run_.job.anchors[i].name, [i](const JobFileWorkload& each) { return each.anchor == i; });
  for (std::uint32_t i = 0; i < run_.workloads.size(); ++i)
    add(run_.workloads[i], [i](const JobFileWorkload& each) { return each.workload == i; });
  return rows;
}

std::uint64_t FileExecution::take_faults() {
  const FilePanel& panel = in_.session.lab().file_panel();
  for (const FileFault& fault : panel.header().faults.since(next_fault_)) {
    const std::string where = fault.anchor < run_.job.anchors.size()
                                  ? run_.job.anchors[fault.anchor].path
                                  : std::string("?");
    if (fault.error == kFoundNothing) {
      in_.output.error(fmt::format("fwd={}: no file or folder was left in {} that it could {}",
                                   run_.workloads[run_.job.workloads[fault.workload].workload],
                                   where, name_of(fault.operation)));
      continue;
    }
    const std::string object =
        fault.number == FileFault::kNoNumber
            ? where
            : fmt::format("{}/({} {})", where, fault.folder ? "folder" : "file", fault.number);
    in_.output.error(io_error_line({.at_ns = fault.realtime_ns,
                                    .operation = name_of(fault.operation),
                                    .lun = object,
                                    .offset = fault.offset,
                                    .size = fault.size,
                                    .error = fault.error}));
  }
  return panel.header().faults.ever();
}

std::string FileExecution::given_up() const {
  const int error = in_.session.lab().file_panel().header().ended_by.load();
  return error == 0 ? "" : fmt::format("given up: {}", std::strerror(error));
}

std::string FileExecution::object_of(std::size_t slot) const {
  for (const JobFileWorkload& workload : run_.job.workloads)
    if (slot >= workload.first_slot && slot < workload.first_slot + workload.threads)
      return fmt::format("fwd={} anchor={}", run_.workloads[workload.workload],
                         run_.job.anchors[workload.anchor].path);
  return "?";
}

}  // namespace stallproof
