// SPDX-License-Identifier: Apache-2.0
// A scenario: a real stall on demand. It says what to run (loads, target, misbehaviour) and what
// must come of it; the controller runs it. One file and one line in catalogue.cpp each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/board/service_panel.h"

namespace stallproof {

struct Named {
  std::string_view name;
  std::string_view summary;
  bool quiet = false;  // of a variant: it must not stall
};

struct ScenarioParameter {
  std::string_view name;
  std::string_view fallback;
  std::string_view summary;
};

struct ScenarioRequest {
  std::string variant;  // empty: the first one
  std::string fix;      // empty: none
  Settings params;
};

// By what the healthy load is made to fall into the stall.
enum class Arming {
  misbehaviour,  // the service no longer behaves (LabPlan::behaviour)
  stop_service,  // SIGSTOP of the service
  nap_service,   // SIGSTOP and SIGCONT of it in turns, each for kNap: no stall
  stop_worker,   // SIGSTOP of the load itself
  injection,     // the injector makes a situation of the kernel
  load_itself,   // the load sees that it is armed (ServicePanel::armed_ns)
};

inline constexpr Nanos kNap = 300 * kMillisecond;

// What a scenario finds on the machine or cannot run: a file that a module, a device or a mount
// brings.
struct Need {
  std::string path;      // must exist
  std::string what;      // for people: "the module ffs_stub"
  std::string try_this;  // the command that brings it
  std::string value{};   // the file's first line, where not any will do
};

// What the controller has to start, decided from a request.
struct LabPlan {
  struct Load {
    std::string name;  // in workloads/catalogue
    std::uint32_t threads;
  };
  std::vector<Load> loads;
  Settings worker;                       // words for the worker process
  std::vector<Need> needs;               // beside root, and FUSE where there is a service
  bool service = true;                   // an ffs is mounted
  Settings ffs;                          // words for the ffs process
  std::string file = "data";             // of the loads, on the ffs, where no injector says another
  bool own_files = false;                // each load has one of its own, called FILE-LOAD
  bool last_cpu = false;                 // the loads run on the last CPU only
  std::string injector;                  // in workloads/injector's table; empty: none
  Settings injector_words;               // its words
  Arming arming = Arming::misbehaviour;  // after the warm-up
  Behaviour behaviour = Behaviour::plain;  // what the service does once armed
  Settings params;                         // as run: what was asked for and the fallbacks
  std::uint64_t seed = 1;
  Nanos warmup = 2 * kSecond;
  Nanos healed_after = 0;  // it was armed: undone again, for a twin that stays quiet; 0: at the end
  std::string expected_class;
  std::vector<std::string> expected_signatures;  // any of them; empty: whatever has the class
  // What it is told as where all is seen, beside those: it is known again by them, not judged.
  std::vector<std::string> usual_signatures;
  // What tells it from others with its signature: the beginning of a function on some stack or of a
  // node's id ("device:nbd"), or one of several by '|'. All of them are seen. Empty: nothing does.
  std::vector<std::string> marks;
  std::string expected_root;  // name of the task that keeps the others waiting; empty: no task
  bool has_hazard = true;     // counted by ffs or the injector; quiet counts only where entered
  bool steady = true;         // quiet counts only where every load completes something each second
};

// A parameter's value with which the same stall is told otherwise: another call queues, say.
struct OtherWay {
  std::string_view parameter, value;
};

struct Scenario {
  std::string_view id;
  std::string_view summary;
  std::string_view where;  // "host" or "VM"
  std::string_view expected_class;
  std::span<const Named> variants;
  std::span<const Named> fixes;
  std::span<const ScenarioParameter> params;
  Result<LabPlan> (*plan)(const ScenarioRequest&);
  std::span<const OtherWay> other_ways = {};
};

// Refuses unknown variants, fixes and parameters, listing the valid ones; then asks the scenario.
Result<LabPlan> plan_scenario(const Scenario& scenario, const ScenarioRequest& request);

}  // namespace stallproof
