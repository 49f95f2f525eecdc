// SPDX-License-Identifier: Apache-2.0
// The state machine of one plan; see run_plan.h. One poll(2) loop, no thread.
#pragma once

#include <string>
#include <vector>

#include "harness/run/plan/load_seconds.h"
#include "harness/run/plan/plan_lab.h"
#include "harness/run/plan/run_plan.h"
#include "harness/run/run_session.h"

namespace stallproof {

struct PlanState : SessionState {
  Nanos load_ns = 0;                     // when the load began; 0: never
  Nanos load_ended_ns = 0;               // when it was asked to end
  std::vector<std::string> failures;     // failed operations, wrong data
  std::vector<std::string> never_ended;  // operations that did not complete
};

class PlanRun final : private SessionTeller {
 public:
  PlanRun(const LoadPlanOptions& options, const TargetLook& target, RunDir run, LiveLens lens,
          PlanLab lab, IncidentCaptures captures, SignalWatch signals, Console& console);

  // Everything from the first process to the cleaned machine. An Error when no load could run.
  Result<> drive();
  // Ends everything after a failure of our own.
  void abandon();
  // Saved and told; the exit code.
  int conclude();

 private:
  Result<> prepare();
  Result<> make_place();
  void take_refusals();
  [[nodiscard]] bool all_refused() const;
  void run();
  void check_workers();
  [[nodiscard]] bool over(Nanos now);
  [[nodiscard]] bool stall_ends_it(Nanos now);
  void drain();
  void tell_open_ops();
  void take_failures();
  void finish();
  void show_progress(Nanos now);
  void announce();
  [[nodiscard]] Nanos end_ns() const;
  [[nodiscard]] std::vector<int> descriptors() const;
  [[nodiscard]] bool watchdog_gone() const { return lab_.watchdog().child().reaped(); }
  void tell_stall(const IncidentRecord& incident) override;
  void tell_explanation(const IncidentRecord& incident) override;
  void tell_resolved(Nanos at) override;

  const LoadPlanOptions& options_;
  const LoadPlan& plan_;
  TargetLook target_;
  PlanState state_;
  PlanLab lab_;
  Console& console_;
  LoadSeconds seconds_;
  RunSession session_;
  std::vector<bool> told_gone_;  // by worker
};

}  // namespace stallproof
