// SPDX-License-Identifier: Apache-2.0
// Who listens to a run. Controller, main thread: a listener that has something slow to do gives it
// to a thread or process of its own, begun before the load.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/sink/run_figures.h"
#include "harness/sink/run_news.h"
#include "harness/store/verdict.h"

namespace stallproof {

class RunListener {
 public:
  RunListener() = default;
  RunListener(const RunListener&) = delete;
  RunListener& operator=(const RunListener&) = delete;
  virtual ~RunListener() = default;

  // Before the load starts. The source may be kept and read after the run has ended.
  virtual void on_begin(const RunNews&, std::shared_ptr<const FigureSource>) {}
  virtual void on_stall(const StallNews&) {}      // an incident was opened
  virtual void on_explained(const StallNews&) {}  // once, or again with a better explanation
  virtual void on_resolved(const StallNews&) {}
  virtual void on_dropout(const DropoutNews&) {}  // begun, and again when it has ended
  virtual void on_capture(const CaptureNews&) {}
  // Sight is lost: the watchdog has ended or was not run. Stalls may go unseen from now on.
  virtual void on_blind(std::string_view) {}
  // A window in which a disturbance is made on purpose: no alarm of it is an alert.
  virtual void on_window(bool) {}
  virtual void on_mark(const MarkNews&) {}      // as soon as the run knows of it
  virtual void on_health(const HealthNews&) {}  // whenever it has changed
  virtual void on_verdict(const Verdict&) {}
  // Asked before the verdict is made: what is to stand in it beside its reasons. Bounded in time.
  virtual std::vector<std::string> notes() { return {}; }
  // Children of ours that it has: no part of any load.
  [[nodiscard]] virtual std::vector<pid_t> processes() const { return {}; }
};

class RunFeed {
 public:
  // Must outlive the run.
  void add(RunListener& listener) { listeners_.push_back(&listener); }

  template <typename... Parameters, typename... Arguments>
  void tell(void (RunListener::*what)(Parameters...), const Arguments&... arguments) const {
    for (RunListener* const listener : listeners_) (listener->*what)(arguments...);
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> all;
    for (RunListener* const listener : listeners_)
      for (std::string& note : listener->notes()) all.push_back(std::move(note));
    return all;
  }
  [[nodiscard]] std::vector<pid_t> processes() const {
    std::vector<pid_t> all;
    for (const RunListener* const listener : listeners_)
      for (const pid_t pid : listener->processes()) all.push_back(pid);
    return all;
  }

 private:
  std::vector<RunListener*> listeners_;
};

}  // namespace stallproof
