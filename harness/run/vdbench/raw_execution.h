// SPDX-License-Identifier: Apache-2.0
// A run of SDs.
#pragma once

#include <vector>

#include "harness/run/vdbench/cpu_clock.h"
#include "harness/run/vdbench/io_sampler.h"
#include "harness/run/vdbench/run_execution.h"
#include "workloads/vdbench/raw_job.h"
#include "workloads/vdbench/report/flat_file.h"
#include "workloads/vdbench/report/raw_rows.h"

namespace stallproof {

class RawExecution final : public RunExecution {
 public:
  RawExecution(Setup setup, const RawRun& run);

 protected:
  Result<> start_worker() override { return in_.session.lab().start_worker(run_.job); }
  void number_interval(std::uint32_t interval) override;
  void begin(Nanos now) override;
  void tell_interval(Nanos now, bool left_out) override;
  void tell_totals(const std::string& label) override;
  std::uint64_t take_faults() override;
  void check_limits() override;
  [[nodiscard]] bool may_end() const override;
  [[nodiscard]] std::string object_of(std::size_t slot) const override;

 private:
  [[nodiscard]] std::vector<RowTexts::Named> named_rows(const IoSample& now, const IoSample& before,
                                                        const RawRow& all,
                                                        const std::string& time) const;
  [[nodiscard]] std::string flat_line(const RawRow& row, const std::string& time) const;

  const RawRun& run_;
  IoSampler sampler_;
  CpuClock cpu_, measured_cpu_;
  IoSample last_, measured_;  // at the end of the interval before; where the measured part begins
  FlatRaw flat_;
  // By stream: of the measured part, and of the intervals that are left out of it.
  std::vector<double> longest_read_us_, longest_write_us_, first_read_us_, first_write_us_;
  std::uint64_t next_fault_ = 0, faults_of_same_io_ = 0;
};

}  // namespace stallproof
