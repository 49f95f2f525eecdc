// SPDX-License-Identifier: Apache-2.0
// A run of FSDs, or the format in front of one.
#pragma once

#include <vector>

#include "harness/run/vdbench/cpu_clock.h"
#include "harness/run/vdbench/run_execution.h"
#include "workloads/vdbench/file_job_of_run.h"
#include "workloads/vdbench/report/file_rows.h"

namespace stallproof {

class FileExecution final : public RunExecution {
 public:
  // `used`: operations that any run of the plan uses, and so has columns for.
  FileExecution(Setup setup, const FileRun& run, const FileOperations& used);

 protected:
  Result<> start_worker() override { return in_.session.lab().start_worker(run_.job); }
  void number_interval(std::uint32_t interval) override;
  void begin(Nanos now) override;
  void tell_interval(Nanos now, bool left_out) override;
  void tell_totals(const std::string& label) override;
  std::uint64_t take_faults() override;
  [[nodiscard]] bool may_end() const override { return true; }
  [[nodiscard]] std::string given_up() const override;
  [[nodiscard]] std::string object_of(std::size_t slot) const override;

 private:
  // By entry of FileJob::workloads.
  using Sample = std::vector<FileTotals>;
  [[nodiscard]] Sample sample() const;
  [[nodiscard]] FileRow row_of(const std::string& label, const Sample& now, const Sample& before,
                               double seconds, const CpuShares& cpu) const;
  [[nodiscard]] std::vector<RowTexts::Named> named_rows(const FileRow& all, const Sample& now,
                                                        const Sample& before,
                                                        const std::string& time) const;
  void note_longest(const Sample& now, bool left_out);
  void tell_progress(Nanos now);

  const FileRun& run_;
  FileOperations used_, requested_;
  CpuClock cpu_, measured_cpu_;
  Sample last_, measured_, longest_, first_;  // the latter two for their maxima
  Nanos last_ns_ = 0, measured_ns_ = 0;
  FileSpread spread_;
  std::uint64_t next_fault_ = 0;
};

// All operations that a plan's runs ask for.
FileOperations used_operations(const Plan& plan);

}  // namespace stallproof
