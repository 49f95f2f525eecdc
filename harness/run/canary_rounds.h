// SPDX-License-Identifier: Apache-2.0
// The stalls that one run makes on purpose: before, beside and after its load, each by a Canary of
// its own, and what became of them. Controller, main thread; bounded as canary.h is.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/canary.h"

namespace stallproof {

// The known stall of a run: which one, or why there is none although it was wanted. Neither: none
// was wanted.
struct CanaryChoice {
  std::optional<CanaryPlan> plan;
  std::string refused;
};
// For a run of so many loads that wants one. Refused where the machine has not the means, or by an
// Error where it was asked for.
Result<CanaryChoice> choose_canary(std::size_t loads, CanaryWish wish);

// Why nothing shows that a stall would have been seen; empty where it passed.
std::vector<std::string> why_unproven(const CanaryEntry& canary);

// Of the canary's loads, which the watchdog sees behind those of the run.
Result<Board> board_of(const CanaryPlan& canary);

class CanaryRounds {
 public:
  struct Setup {
    CanaryChoice choice;
    CanaryHost& host;
    WatchdogChild& watchdog;
    const std::optional<Board>& board;  // as board_of(); absent without a plan
    Thresholds thresholds;              // of the run
    // Why the load forbids one now; empty: it does not.
    std::function<std::string(std::string_view when)> forbidden;
    std::function<void(const std::string& what)> tell_passed;
    Console& console;
  };
  explicit CanaryRounds(Setup setup) : in_(std::move(setup)) {}

  // Makes one, and is served until it is over; tried once more where none came about. `when`:
  // before, beside, after.
  void run(const std::string& when);
  // Beside the load: once, from the first call on, served by the run's own loop.
  void serve_beside();
  // True when there is none, or none any more.
  bool over();
  void load_ended();
  // Of the one that lives now.
  [[nodiscard]] std::vector<pid_t> processes() const;
  // Whatever still lives is healed.
  void abandon() { canary_.reset(); }

  // What became of those that were wanted; absent where none was.
  [[nodiscard]] std::optional<CanaryEntry> entry(const std::vector<std::string>& wanted) const;

 private:
  void begin(const std::string& when);
  void take();
  void serve_until_over();
  [[nodiscard]] std::string not_now(std::string_view when) const;
  [[nodiscard]] bool watchdog_gone() const { return in_.watchdog.child().reaped(); }

  Setup in_;
  std::map<std::string, CanaryLookEntry> looks_;
  std::string when_;
  std::unique_ptr<Canary> canary_;  // that lives now
  bool place_lost_ = false;         // an earlier one could not be ended
};

}  // namespace stallproof
