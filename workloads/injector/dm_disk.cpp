// SPDX-License-Identifier: Apache-2.0
// A device-mapper device that is suspended, as a volume whose snapshot or table change was never
// finished: no I/O fails, none completes, and its counters show none in flight
// (drivers/md/dm.c dm_submit_bio queues it before it is counted; 6.1).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/injector/dm_device.h"
#include "workloads/injector/ext4_maker.h"
#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/left_things.h"
#include "workloads/injector/loop_device.h"

namespace stallproof {
namespace {

class DmDisk : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto size = context.settings.size("disk-size", 0);
    if (!size) return Failure{size.error()};
    const auto kind = context.settings.choice("dm-disk", "raw", {"raw", "ext4"});
    if (!kind) return Failure{kind.error()};
    directory_ = context.directory;
    if (auto made = make(*size / kSector * kSector, *kind == "ext4"); !made)
      return Failure{made.error()};
    if (*kind == "raw") return device_.path;
    if (auto mounted = mount(); !mounted) return Failure{mounted.error()};
    return mount_point() + "/data";
  }
  Result<> inject(pid_t) override { return suspend_dm_device(device_.name); }
  Result<> heal() override {
    return device_.name.empty() ? Result<>{} : resume_dm_device(device_.name);
  }
  Result<> remove() override {
    if (mounted_ && ::umount2(mount_point().c_str(), MNT_DETACH) != 0)
      return fail_errno("umount " + mount_point(), errno, {}, Origin::infra);
    mounted_ = false;
    if (!directory_.empty()) ::rmdir(mount_point().c_str());
    if (!device_.name.empty())
      if (auto removed = remove_dm_device(device_.name); !removed) return removed;
    device_.name.clear();
    loop_.fd.reset();
    if (!directory_.empty()) forget_things(directory_);
    return {};
  }

 private:
  static constexpr std::uint64_t kSector = 512;

  [[nodiscard]] std::string mount_point() const { return directory_ + "/disk"; }

  Result<> make(std::uint64_t size, bool file_system) {
    const Fd image(::memfd_create("stallproof-disk", 0));
    if (!image.valid() || ::ftruncate(image.get(), static_cast<off_t>(size)) != 0)
      return fail_errno("make an image in memory", errno);
    if (file_system)
      if (auto made = make_ext4(image); !made) return made;
    auto loop = attach_loop_device(image, false);
    if (!loop) return Failure{loop.error()};
    loop_ = std::move(*loop);
    const std::string name = kDmPrefix + directory_.substr(directory_.rfind('/') + 1);
    if (auto noted = note_thing(directory_, {"dm", name}); !noted) return noted;
    auto device = make_dm_device(name, {.device = loop_.number, .bytes = size});
    if (!device) return Failure{device.error()};
    device_ = std::move(*device);
    return {};
  }

  Result<> mount() {
    if (::mkdir(mount_point().c_str(), 0755) != 0)
      return fail_errno("make " + mount_point(), errno);
    if (::mount(device_.path.c_str(), mount_point().c_str(), "ext4", 0, nullptr) != 0)
      return fail_errno(fmt::format("mount {} on {}", device_.path, mount_point()), errno,
                        "modprobe ext4", Origin::lacking);
    mounted_ = true;
    return {};
  }

  std::string directory_;
  LoopDevice loop_;
  DmDevice device_;
  bool mounted_ = false;
};

constexpr WorkloadParameter kParameters[] = {
    {"disk-size", "64MiB", "size of the device, in memory"},
    {"dm-disk", "raw", "what the loads are given: raw (the device), ext4 (a file on it)"},
};

}  // namespace

InjectorInfo dm_disk_injector();
InjectorInfo dm_disk_injector() {
  return {.name = "dm-disk",
          .summary = "suspends the device-mapper device of the loads",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<DmDisk>()); }};
}

}  // namespace stallproof
