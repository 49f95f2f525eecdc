// SPDX-License-Identifier: Apache-2.0
// One report while its lines come in.
#pragma once

#include <string>
#include <vector>

#include "harness/explain/kernel_report.h"

namespace stallproof {

struct SeenFrame {
  std::string function;
  bool guessed = false;    // of the unwinder: perhaps stale
  bool pointer = false;    // an address that no call returns to
  bool interrupt = false;  // of the interrupt that looked, or of one that ran then
  bool running = false;    // what the CPU ran ("RIP:")
};

struct ReportDraft {
  LogReport report;
  std::string about;  // first words of the title: "task hung"
  // "in FUNCTION" follows `about` in the title, where a function is known.
  bool title_has_function = true;
  bool stack_wanted = false;  // a dump of a stack follows …
  bool stack_done = false;    // … and is over: what comes now is somebody else's
  bool on_cpu = false;        // the stack is that of a running CPU: an interrupt's lies inside
  bool in_interrupt = false;
  bool addressed = false;  // its frames have addresses
  std::vector<int> cpus;   // that are stuck, where told: the stacks of others do not count
  bool of_others = false;  // told by a CPU that is not stuck: those that are speak for themselves
  bool elsewhere = false;  // in the dump of somebody who is not stuck
  std::string place;       // what the CPU ran, where the header says it
  std::string work;        // what the worker did: "Workqueue: events brick_work_fn"
  std::vector<SeenFrame> frames;
  std::string problem;      // what is wrong with the header
  bool unusable = false;    // too little of the header is left for a report
  bool only_first = false;  // a consequence: no report of its own when one of its kind is near
  bool of_victim = false;   // … and the dump that follows is of one that waits for the stuck
  // workqueue_lockup
  std::string pool;  // "cpus=2 node=0 nice=-20"
  bool in_pool = false;
  bool pool_blamed = false;
  // lockdep
  std::vector<std::string> classes;
  std::vector<std::string> chain;
  enum class Expects { nothing, wanted_lock, held_lock } expects = Expects::nothing;
};

}  // namespace stallproof
