// SPDX-License-Identifier: Apache-2.0
// A known stall, made on purpose by loads of its own and healed within seconds: when the run's own
// watchdog finds it and the run itself explains it and takes its captures, a run without a
// stall may be believed. It is never a stall of the run: no teller hears of it, its captures know
// no --on-stall, and its evidence lies in canary/. Controller, main thread. Starting and healing
// block for some hundred milliseconds, at most for some seconds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/run/canary_host.h"
#include "harness/run/canary_plan.h"
#include "harness/run/lab.h"
#include "harness/store/verdict.h"

namespace stallproof {

class Canary final : private SessionTeller {
 public:
  struct Setup {
    std::string name;  // before, beside or after the load
    const CanaryPlan& plan;
    CanaryHost& host;
    WatchdogChild& watchdog;  // knows `board` already, or looks at processes
    const Board& board;       // of the canary's loads only; cleared here
    Nanos stall_after = 0;
    Console& console;
  };
  // Its loads run; nothing stalls yet. On failure nothing is left, or the Error names it.
  static Result<std::unique_ptr<Canary>> start(const Setup& setup);
  Canary(const Setup& setup, Lab lab, IncidentCaptures captures);
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  ~Canary() override;

  // Every loop of the controller, after the host was served. True once it is over.
  bool follow(Nanos now);
  // It is healed at the next follow().
  void cut_short(const std::string& why) { cut_short_ = why; }
  // Some op of its loads stood for so long that it had to be found. Once it is over.
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] CanaryLookEntry entry(const RunClock& clock) const;
  [[nodiscard]] const std::vector<std::string>& left_behind() const { return left_behind_; }
  // Its own, those that run.
  [[nodiscard]] std::vector<pid_t> processes() const;

 private:
  enum class Step { warming, injected, healed, over };
  void inject(Nanos now);
  void heal(Nanos now);
  void conclude();
  [[nodiscard]] bool seen() const;
  [[nodiscard]] bool stands(Nanos now) const;
  [[nodiscard]] std::string child_lost();
  [[nodiscard]] std::string why_not() const;
  void log(const char* what, Nanos at);
  void tell_stall(const IncidentRecord&) override {}
  void tell_explanation(const IncidentRecord&) override {}
  void tell_resolved(Nanos) override {}

  Setup in_;
  Lab lab_;
  IncidentLane lane_;
  Step step_ = Step::warming;
  bool made_ = false;
  bool ended_ = false;  // its lab is
  Nanos warm_at_ns_ = 0, injected_ns_ = 0, healed_ns_ = 0;
  std::string cut_short_;
  std::vector<std::string> left_behind_;
};

}  // namespace stallproof
