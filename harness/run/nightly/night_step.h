// SPDX-License-Identifier: Apache-2.0
// One command of a night: started, listened to, and ended when its time is over or the night is
// interrupted. Main thread of the night; never blocks longer than the deadline and the minutes that
// a run is given to end well, for a process that even SIGKILL does not end is left.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/service_manager.h"
#include "harness/base/signals.h"
#include "harness/run/nightly/night_words.h"

namespace stallproof {

struct StepEnd {
  int exit_code = 3;      // 128+n: ended by signal n
  std::string problem;    // it did not end by itself; one line
  std::string last_line;  // of what it said
};

class NightSteps {
 public:
  // `told`: what a command says, as it comes.
  NightSteps(ServiceManager& manager, std::function<void(std::string_view)> told)
      : manager_(manager), told_(std::move(told)) {}

  // Its stdout and stderr are told. An Error: it could not be started.
  Result<StepEnd> run(const CommandWords& words, Nanos limit);
  // Its stdout is `into`, its stderr told.
  Result<StepEnd> run_for_text(const CommandWords& words, Nanos limit, std::string& into);
  // Sleeps; false when the night was interrupted, before or meanwhile.
  bool wait(Nanos span);
  // Tells the service manager that the night lives.
  void alive();
  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  class Running;
  Result<StepEnd> follow(Running& running, Nanos limit);
  void take_signals(Running* running);

  ServiceManager& manager_;
  std::function<void(std::string_view)> told_;
  SignalWatch signals_;
  bool interrupted_ = false;
};

}  // namespace stallproof
