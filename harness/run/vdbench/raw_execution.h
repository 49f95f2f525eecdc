// SPDX-License-Identifier: Apache-2.0
// One run of SDs, from its worker's start to its totals: rows on the wall clock whatever the worker
// does, limits of time, data and errors, and what never completed. Controller, main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/run/vdbench/cpu_clock.h"
#include "harness/run/vdbench/io_sampler.h"
#include "harness/run/vdbench/vdbench_output.h"
#include "harness/run/vdbench/vdbench_session.h"
#include "workloads/vdbench/raw_job.h"

namespace stallproof {

// Why an execution goes no further.
struct Abort {
  std::string why;
};

class RawExecution {
 public:
  struct Setup {
    VdbenchSession& session;
    VdbenchOutput& output;
    const General& general;
    const RawRun& run;
    RunTimes times;
    RunHeading heading;
  };
  explicit RawExecution(Setup setup);

  // Blocks for the whole run; bounded by its elapsed time and fail_after for what does not end.
  // An Error when the worker cannot start.
  Result<> execute();

  // I/Os a second, of the part behind the warmup: what a curve is a percentage of.
  [[nodiscard]] double measured_rate() const { return measured_rate_; }
  [[nodiscard]] double measured_response_ms() const { return measured_response_ms_; }
  [[nodiscard]] const std::optional<Abort>& abort() const { return abort_; }

 private:
  void run_intervals();
  void attend_until(Nanos until);
  void close_interval(Nanos now);
  void note_row(const IoSample& sample, const RawRow& row, Nanos now);
  void tell_totals();
  void drain();
  void check_worker();
  void tell_open_ios();
  void take_faults();
  void check_data_limit(const IoTotals& sum);
  void check_timeout(const IoSample& sample);
  void check_monitor();
  void stop(const std::string& why);
  [[nodiscard]] std::vector<NamedRow> named_rows(const IoSample& now, const IoSample& before,
                                                 const RawRow& all) const;
  [[nodiscard]] std::string fault_line(const FaultRecord& fault) const;

  Setup in_;
  IoSampler sampler_;
  CpuClock cpu_;
  std::optional<IoSample> last_;      // at the end of the interval before
  std::optional<IoSample> measured_;  // where the measured part begins
  CpuClock measured_cpu_;
  // By stream: of the measured part, and of the interval that is left out of it.
  std::vector<double> longest_read_us_, longest_write_us_, first_read_us_, first_write_us_;
  std::uint32_t interval_ = 1;
  std::uint32_t first_measured_ = 1;
  Nanos began_ns_ = 0;
  std::uint64_t next_fault_ = 0;
  Nanos told_late_ns_ = 0;
  bool over_ = false;
  std::string ended_by_;
  std::optional<Abort> abort_;
  double measured_rate_ = 0, measured_response_ms_ = 0;
};

}  // namespace stallproof
