// SPDX-License-Identifier: Apache-2.0
// The worker may use the CPUs for a small share of each second only (CFS bandwidth control,
// kernel/sched/fair.c): its threads are runnable and do not run, and what they are in the midst of
// does not get done.
#include <fmt/format.h>

#include "workloads/injector/cgroup_injector.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPeriodUs = 1'000'000;  // the longest there is
constexpr std::uint64_t kLeastQuotaUs = 1'000;

class CpuQuota : public CgroupInjector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto quota = context.settings.duration("cpu-quota", 0);
    if (!quota) return Failure{quota.error()};
    quota_us_ = *quota / 1000;
    if (quota_us_ < kLeastQuotaUs)
      return fail(
          fmt::format("cpu-quota: {} is less than 1ms", context.settings.text("cpu-quota", "")));
    return CgroupInjector::prepare(context);
  }
  Result<> inject(pid_t worker) override {
    const auto limited =
        group().unified() ? group().set({{"cpu.max", fmt::format("{} {}", quota_us_, kPeriodUs)}})
                          : group().set({{"cpu.cfs_period_us", std::to_string(kPeriodUs)},
                                         {"cpu.cfs_quota_us", std::to_string(quota_us_)}});
    return limited ? group().take(worker) : limited;
  }

 protected:
  [[nodiscard]] CgroupNeed need() const override { return {"cpu", "cpu.cfs_quota_us", "cpu.max"}; }

 private:
  std::uint64_t quota_us_ = 0;
};

constexpr WorkloadParameter kParameters[] = {
    kDiskSizeParameter,
    kHierarchyParameter,
    {"cpu-quota", "1ms", "CPU time that the worker may use in each second"},
};

}  // namespace

InjectorInfo cpu_quota_injector();
InjectorInfo cpu_quota_injector() {
  return {.name = "cpu-quota",
          .summary = "gives the worker a small share of the CPUs only",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<CpuQuota>()); }};
}

}  // namespace stallproof
