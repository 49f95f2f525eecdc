// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/left_on_target.h"

#include <cstdlib>

#include "harness/base/file.h"
#include "harness/run/coordinate/coordination.h"
#include "harness/run/plan/plan.h"
#include "harness/run/plan/target_look.h"
#include "harness/run/scratch_directory.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfPlan = 4U << 20U;

// What a file says becomes part of a path.
bool is_name(const std::string& text) {
  return !text.empty() && text.find('/') == std::string::npos;
}

// Plans of a watch, of a scenario or of vdbench are of other kinds, and leave nothing there.
bool may_have_left_something(const std::string& file) {
  const auto text = read_file(file, kMostOfPlan);
  return !text || text->empty() || text->find("[plan]") != std::string::npos;
}

std::string meeting_of(const LoadPlan& plan) {
  const char* const told = std::getenv("STALLPROOF_MEET");
  if (told != nullptr && *told != '\0') return told;
  return plan.coordinate ? plan.coordinate->meet : "";
}

void remove_from(const std::string& place, const std::string& name, const std::string& mark,
                 std::vector<std::string>& left) {
  const auto target = look_at_target(place);
  if (!target) return left.push_back(target.error().what);
  const ScratchRemoval removal =
      remove_scratch({.path = (target->path == "/" ? "" : target->path) + "/" + name,
                      .device_major = target->device_major,
                      .device_minor = target->device_minor,
                      .mark = mark});
  if (removal.end != ScratchEnd::removed) left.push_back(removal.what);
}

}  // namespace

std::vector<std::string> remove_left_on_target(const std::string& directory, const std::string& run,
                                               const std::optional<SharedPlace>& shared) {
  std::vector<std::string> left;
  const std::string file = directory + "/plan.toml";
  const auto plan = read_plan_file(file);
  if (!plan && may_have_left_something(file))
    left.push_back("what the run left on its target is not known: " + plan.error().what);
  if (!plan || !is_name(run)) return left;
  if (!plan->target.empty()) remove_from(plan->target, kScratchPrefix + run, {}, left);
  if (!shared || !is_name(shared->job)) return left;
  const std::string mark = mark_of(shared->rank, run);
  if (!plan->target.empty())
    remove_from(plan->target, shared_directory_name(shared->job), mark, left);
  if (const std::string meeting = meeting_of(*plan); !meeting.empty())
    remove_from(meeting, kScratchPrefix + shared->job, mark, left);
  return left;
}

}  // namespace stallproof
