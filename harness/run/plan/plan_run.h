// SPDX-License-Identifier: Apache-2.0
// The state machine of one plan; see run_plan.h. One poll(2) loop, no thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/canary_rounds.h"
#include "harness/run/coordinate/coordination.h"
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
          PlanLab lab, IncidentCaptures captures, CanaryChoice canary, SignalWatch signals,
          std::optional<Coordination> coordination, Console& console);

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
  // The other nodes are ready too, and the second in which all start has come. False: it never
  // will.
  bool meet();
  bool agree();
  void tell_agreement(bool agreed);
  void wait_for_start();
  void save_environment();
  void run();
  void check_workers();
  [[nodiscard]] bool over(Nanos now);
  [[nodiscard]] bool stall_ends_it(Nanos now);
  void drain();
  void tell_open_ops();
  void take_failures();
  void finish();
  void canary_beside(Nanos now);
  void show_progress(Nanos now);
  void tell_unsaved();
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
  SeriesFile second_rows_;
  std::vector<bool> told_gone_;               // by worker
  std::optional<Coordination> coordination_;  // of a run on several nodes at once
  CanaryRounds canaries_;
  bool told_unsaved_ = false;
};

// As this node runs it; `target` as it was looked at.
LoadPlan own_plan(const LoadPlan& plan, const std::optional<Coordination>& coordination,
                  const std::string& target);

}  // namespace stallproof
