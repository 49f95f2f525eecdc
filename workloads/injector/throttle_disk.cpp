// SPDX-License-Identifier: Apache-2.0
// The worker's I/O on its own disk is throttled (block/blk-throttle.c, 6.18): each I/O waits in a
// queue above the device, which is idle, for its turn. I/O is charged to the cgroup of the thread
// that issues it, so only what the worker itself does is held up.
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "workloads/injector/cgroup_injector.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

class ThrottleDisk : public CgroupInjector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto rate = context.settings.size("disk-rate", 0);
    if (!rate) return Failure{rate.error()};
    if (*rate == 0) return fail("disk-rate: must be 1 or more bytes a second");
    rate_ = *rate;
    return CgroupInjector::prepare(context);
  }
  Result<> inject(pid_t worker) override {
    const dev_t number = disk()->device_number();
    const std::string device = fmt::format("{}:{}", major(number), minor(number));
    const std::string limit = fmt::format("{} {}", device, rate_);
    const auto limited =
        group().unified()
            ? group().set({{"io.max", fmt::format("{} rbps={} wbps={}", device, rate_, rate_)}})
            : group().set({{"blkio.throttle.read_bps_device", limit},
                           {"blkio.throttle.write_bps_device", limit}});
    return limited ? group().take(worker) : limited;
  }

 protected:
  [[nodiscard]] CgroupNeed need() const override {
    return {"blkio", "blkio.throttle.read_bps_device", "io.max"};
  }

 private:
  std::uint64_t rate_ = 0;
};

constexpr WorkloadParameter kParameters[] = {
    kDiskSizeParameter,
    kHierarchyParameter,
    {"disk-rate", "4KiB", "bytes that the worker may read, and as many write, in each second"},
};

}  // namespace

InjectorInfo throttle_disk_injector();
InjectorInfo throttle_disk_injector() {
  return {.name = "throttle-disk",
          .summary = "throttles the worker's I/O on its disk by a cgroup",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<ThrottleDisk>()); }};
}

}  // namespace stallproof
