// SPDX-License-Identifier: Apache-2.0
// A lookup that the service never answers holds the directory's lock: everybody who makes, looks
// for or removes a name there queues behind it (workloads/victim/name_churn.cpp).
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"held", "the service takes requests for one name and never answers them"},
    Named{"slow", "the service answers each lookup, after a pause", true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"pause", "250ms", "what the answer to a lookup takes"},
    ScenarioParameter{"name-threads", "3", "threads that make and remove names in one directory"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 2);
  if (!lab) return lab;
  const auto threads = read_threads(request.params, "name-threads");
  if (!threads) return Failure(threads.error());
  lab->loads = {{"name-churn", *threads}};
  const bool held = request.variant == "held";
  lab->behaviour = held ? Behaviour::hold_lookups : Behaviour::slow_lookups;
  lab->expected_class = held ? "dir_lock" : "none";
  if (held) lab->expected_root = "name-churn/*";
  if (held) lab->usual_signatures = {"dir_lock:request>directory"};
  return lab;
}

}  // namespace

extern const Scenario kFuseSlowLookup;
const Scenario kFuseSlowLookup{
    .id = "fuse-slow-lookup",
    .summary = "one name gets no answer, and all work in its directory stops",
    .where = "host",
    .expected_class = "dir_lock",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
