// SPDX-License-Identifier: Apache-2.0
// How the controller and the injector of a scenario talk: the injector makes the situation of the
// kernel that a scenario is about (a frozen file system, a throttled device) and undoes it again.
// Part of the board. `wanted` is the controller's, all else the injector's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

enum class InjectorStep : std::uint32_t { prepared, injected, healed };

struct InjectorPanel {
  alignas(64) std::atomic<std::uint32_t> wanted;   // InjectorStep; also a futex word
  std::atomic<std::int32_t> worker;                // process of the loads, 0 before it is there
  alignas(64) std::atomic<std::uint32_t> reached;  // InjectorStep
  std::atomic<std::uint32_t> failed;               // 1: `problem` says why a step was not reached
  std::array<char, 256> file;                      // what the loads use; set before "ready"
  std::array<char, 256> problem;
};

// Controller: sets the step and wakes the injector.
void want(InjectorPanel& panel, InjectorStep step);
// Waits until the step is reached or failed, or the deadline passes. True when it is reached.
bool wait_for_step(const InjectorPanel& panel, InjectorStep step, Deadline deadline);

}  // namespace stallproof
