// SPDX-License-Identifier: Apache-2.0
// Waits that look like a stall and are none: names made in one directory wait for its lock,
// mprotect for the lock that munmap holds, and those who hold them for a slow service with one
// thread. All of them move on.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"slow", "the service answers each request, after a pause", true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"pause", "100ms", "what each answer takes"},
    ScenarioParameter{"name-threads", "2", "threads that make and remove names in one directory"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 1);
  if (!lab) return lab;
  const auto threads = read_threads(request.params, "name-threads");
  if (!threads) return Failure(threads.error());
  lab->loads = {{"name-churn", *threads}, {"map-drop", 1}, {"mprotect-storm", 2}};
  lab->behaviour = Behaviour::slow;
  lab->expected_class = "none";
  return lab;
}

}  // namespace

extern const Scenario kControlDag;
const Scenario kControlDag{.id = "control-dag",
                           .summary = "chains and fans of waiters on locks that do move on",
                           .where = "host",
                           .expected_class = "none",
                           .variants = kVariants,
                           .fixes = {},
                           .params = kParams,
                           .plan = plan};

}  // namespace stallproof
