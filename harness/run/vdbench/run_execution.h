// SPDX-License-Identifier: Apache-2.0
// One run of a plan, from its worker's start to its totals: intervals on the wall clock whatever
// the worker does, limits of time and errors, and what never completed. What is counted and how it
// is told differs between SDs and files: see raw_execution.h and file_execution.h. Controller.
#pragma once

#include <optional>
#include <string>

#include "harness/run/load_report.h"
#include "harness/run/vdbench/vdbench_output.h"
#include "harness/run/vdbench/vdbench_session.h"
#include "workloads/vdbench/definitions.h"

namespace stallproof {

// Seconds.
struct RunTimes {
  double interval = 1, warmup = 0;
  std::optional<double> elapsed;  // none: until all is done
};

// Why an execution goes no further; without words it was asked to end.
struct Abort {
  std::string why;
};

class RunExecution {
 public:
  struct Setup {
    VdbenchSession& session;
    VdbenchOutput& output;
    const General& general;
    RunTimes times;
    RunHeading heading;
  };
  explicit RunExecution(Setup setup) : in_(std::move(setup)) {}
  RunExecution(const RunExecution&) = delete;
  RunExecution& operator=(const RunExecution&) = delete;
  virtual ~RunExecution() = default;

  // Blocks for the whole run; bounded by its elapsed time and fail_after for what does not end.
  // An Error when the worker cannot start.
  Result<> execute();

  // Operations a second behind the warmup: what a curve is a percentage of.
  [[nodiscard]] double measured_rate() const { return measured_rate_; }
  [[nodiscard]] double measured_response_ms() const { return measured_response_ms_; }
  [[nodiscard]] const std::optional<Abort>& abort() const { return abort_; }

 protected:
  virtual Result<> start_worker() = 0;
  // The number of the interval from now on, for the worker's longest responses.
  virtual void number_interval(std::uint32_t interval) = 0;
  // The load is about to begin.
  virtual void begin(Nanos now) = 0;
  // Tells the interval that ends now. `left_out`: the totals begin behind it.
  virtual void tell_interval(Nanos now, bool left_out) = 0;
  // The row "avg_…" and what belongs to it; sets what was measured.
  virtual void tell_totals(const std::string& label) = 0;
  // Tells new faults; how many there were ever in this run.
  virtual std::uint64_t take_faults() = 0;
  // Asked often, between intervals.
  virtual void check_limits() {}
  // Why the worker gave the run up, in words; empty when it did not.
  [[nodiscard]] virtual std::string given_up() const { return {}; }
  // The worker may end by itself before the time is over.
  [[nodiscard]] virtual bool may_end() const = 0;
  // "sd=sd1 lun=/x", of a slot of the board.
  [[nodiscard]] virtual std::string object_of(std::size_t slot) const = 0;

  void stop(const std::string& why);
  [[nodiscard]] Nanos began_ns() const { return began_ns_; }
  [[nodiscard]] std::uint32_t interval() const { return interval_; }
  void fail_run(const std::string& why);

  Setup in_;
  std::optional<Abort> abort_;
  double measured_rate_ = 0, measured_response_ms_ = 0;
  bool nothing_measured_ = false;  // ended before its measured part began: all of it counts

 private:
  void run_intervals();
  void attend_until(Nanos until);
  void close_interval(Nanos now);
  void finish();
  void drain();
  void check_worker();
  void tell_open_ios();
  void check_faults();
  void check_timeout(Nanos now);
  void check_monitor();

  std::uint32_t interval_ = 1;
  std::uint32_t first_measured_ = 1;
  Nanos began_ns_ = 0, closed_ns_ = 0;
  Nanos told_late_ns_ = 0;
  bool over_ = false;
  std::string ended_by_;
};

}  // namespace stallproof
