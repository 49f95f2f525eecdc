// SPDX-License-Identifier: Apache-2.0
// A lock of each kind is held by a thread of the module ffs_stub that sleeps and does nothing else.
// Of the process's own mmap_lock the kernel tells who holds it; of the others it tells nothing
// before 6.16, and what is seen is that reads of one file system wait in a function that takes a
// lock of it.
// And a CPU is kept with preemption off: what is bound to it is not run.
#include <array>
#include <string>

#include "harness/scenario/kmod_words.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"held", "the lock is held until the end"},
                               Named{"brief", "it is released after 300 ms", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "4", "threads that read directly"}};

enum class Held {
  mmap_read,
  mmap_write,
  rwsem_read,
  rwsem_write,
  mutex,
  semaphore,
  completion,
  sleep,
  spin
};

constexpr const char* name_of(Held held) {
  constexpr std::array kNames{"mmap_read", "mmap_write", "rwsem_read", "rwsem_write", "mutex",
                              "semaphore", "completion", "sleep",      "spin"};
  return kNames[static_cast<std::size_t>(held)];
}

// Who waits, in ffs_gate.c: behind a reader it takes a writer. Of the process's own lock: who
// holds.
constexpr const char* mark_of(Held held) {
  constexpr std::array kMarks{"ffs_hold_thread",     "ffs_hold_thread", "ffs_wait_rwsem_write",
                              "ffs_wait_rwsem_read", "ffs_wait_mutex",  "ffs_wait_semaphore",
                              "ffs_wait_completion", "ffs_wait_sleep",  ""};
  return kMarks[static_cast<std::size_t>(held)];
}

constexpr bool of_the_process(Held held) { return held <= Held::mmap_write; }

constexpr std::string_view class_of(Held held) {
  if (held == Held::spin) return "cpu_starved";
  return of_the_process(held) ? "mmap_lock_held" : "lock_held";
}

template <Held held>
Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = ffs_module_lab(request.params, "");
  if (!lab) return lab;
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  lab->has_hazard = false;
  lab->expected_class = std::string(class_of(held));
  if (held == Held::spin) {
    // Nobody waits for anything: whoever is bound to that CPU is not run.
    lab->last_cpu = true;
    lab->usual_signatures = {"cpu_starved:load>cpu"};
  } else {
    lab->marks = {mark_of(held)};
  }
  lab->injector_words.set("hold", name_of(held));
  lab->loads = {{"direct-read", *threads}};
  // A lock that is held for reading stops nobody who reads: it takes a writer in between.
  if (of_the_process(held)) lab->loads.push_back({"mprotect-storm", 1});
  // An rwsem knows the writer that holds it, and of its readers only the last that came.
  if (held == Held::mmap_write) lab->expected_root = std::string("hold/") + name_of(held);
  if (request.variant == "brief") lab->healed_after = kBrieflyNs;
  return lab;
}

template <Held held>
constexpr Scenario scenario(std::string_view id, std::string_view summary) {
  return {.id = id,
          .summary = summary,
          .where = "VM",
          .expected_class = class_of(held),
          .variants = kVariants,
          .fixes = {},
          .params = kParams,
          .plan = plan<held>};
}

}  // namespace

extern const Scenario kKmodHoldMmapRead;
const Scenario kKmodHoldMmapRead =
    scenario<Held::mmap_read>("kmod-hold-mmap-read", "a module holds the mmap_lock for reading");
extern const Scenario kKmodHoldMmapWrite;
const Scenario kKmodHoldMmapWrite =
    scenario<Held::mmap_write>("kmod-hold-mmap-write", "a module holds the mmap_lock for writing");
extern const Scenario kKmodHoldRwsemRead;
const Scenario kKmodHoldRwsemRead =
    scenario<Held::rwsem_read>("kmod-hold-rwsem-read", "a module keeps an rwsem, as a reader");
extern const Scenario kKmodHoldRwsemWrite;
const Scenario kKmodHoldRwsemWrite =
    scenario<Held::rwsem_write>("kmod-hold-rwsem-write", "a module keeps an rwsem, as a writer");
extern const Scenario kKmodHoldMutex;
const Scenario kKmodHoldMutex = scenario<Held::mutex>("kmod-hold-mutex", "a module keeps a mutex");
extern const Scenario kKmodHoldSemaphore;
const Scenario kKmodHoldSemaphore =
    scenario<Held::semaphore>("kmod-hold-semaphore", "a module keeps a semaphore");
extern const Scenario kKmodHoldCompletion;
const Scenario kKmodHoldCompletion =
    scenario<Held::completion>("kmod-hold-completion", "a module never completes a completion");
extern const Scenario kKmodHoldSleep;
const Scenario kKmodHoldSleep =
    scenario<Held::sleep>("kmod-hold-sleep", "a module never wakes who waits for its condition");

extern const Scenario kKmodHoldSpin;
const Scenario kKmodHoldSpin = scenario<Held::spin>(
    "kmod-hold-spin",
    "a module keeps the last CPU, with preemption off, and the load is bound to it");

}  // namespace stallproof
