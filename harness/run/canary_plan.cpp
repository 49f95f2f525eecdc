// SPDX-License-Identifier: Apache-2.0
#include "harness/run/canary_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/kernel_setting.h"
#include "harness/scenario/catalogue.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kSafeHungTaskSeconds = 10;
constexpr Nanos kLongestStallAfter = 2 * kSecond;
constexpr const char* kFuseDevice = "/dev/fuse";
constexpr const char* kLoopControl = "/dev/loop-control";

std::uint64_t setting(const char* path) {
  const auto text = setting_now(path);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

Result<CanaryPlan> of_scenario(const char* id, const char* place, const Settings& params) {
  const auto scenario = find_scenario(id);
  if (!scenario) return Failure(scenario.error());
  ScenarioRequest request;
  request.variant = std::string((*scenario)->variants.front().name);
  request.params = params;
  auto lab = plan_scenario(**scenario, request);
  if (!lab) return Failure(lab.error());
  return CanaryPlan{.scenario = id, .place = place, .lab = std::move(*lab)};
}

}  // namespace

const char* word_of(CanaryWish wish) {
  switch (wish) {
    case CanaryWish::yes:
      return "yes";
    case CanaryWish::attempt:
      return "try";
    case CanaryWish::no:
      return "no";
    case CanaryWish::as_planned:
      break;
  }
  return "";
}

Result<> canary_is_safe(std::uint64_t panic, std::uint64_t after_s) {
  if (panic == 0 || after_s == 0 || after_s >= kSafeHungTaskSeconds) return {};
  return fail(
      fmt::format("kernel.hung_task_panic is set with hung_task_timeout_secs = {}: a stall made on "
                  "purpose could crash this machine (sysctl kernel.hung_task_panic=0)",
                  after_s),
      Origin::lacking);
}

Result<CanaryPlan> plan_canary() {
  if (auto safe = canary_is_safe(setting("/proc/sys/kernel/hung_task_panic"),
                                 setting("/proc/sys/kernel/hung_task_timeout_secs"));
      !safe)
    return Failure(safe.error());
  if (::geteuid() != 0)
    return fail("not root: making a stall on purpose needs it (run with sudo)", Origin::lacking);
  Settings params;
  params.set("warmup", "500ms");
  if (::access(kFuseDevice, R_OK | W_OK) == 0) {
    params.set("file-size", "64MiB");
    return of_scenario("mmap-lock-fault", "a FUSE mount of its own", params);
  }
  if (::access(kLoopControl, R_OK | W_OK) == 0)
    return of_scenario("fs-frozen", "a file system of its own on a loop device", params);
  return fail_errno(fmt::format("neither {} nor {}", kFuseDevice, kLoopControl), errno,
                    "modprobe fuse", Origin::lacking);
}

Thresholds canary_thresholds(const Thresholds& run) {
  Thresholds own = run;
  own.stall_after = std::min(own.stall_after, kLongestStallAfter);
  return own;
}

std::vector<OwnThresholds> canary_thresholds(const Thresholds& run, std::uint32_t first,
                                             const LabPlan& lab) {
  std::vector<OwnThresholds> own;
  for (std::uint32_t load = 0; load < lab.loads.size(); ++load)
    own.push_back({.load = first + load, .thresholds = canary_thresholds(run)});
  return own;
}

}  // namespace stallproof
