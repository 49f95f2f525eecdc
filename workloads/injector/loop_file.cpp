// SPDX-License-Identifier: Apache-2.0
// A loop device on a file of the FUSE service: a disk whose far end is a process. Nothing is
// injected here; the service is stopped by the controller.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/loop_device.h"

namespace stallproof {
namespace {

class LoopFile : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto size = context.settings.size("loop-size", 0);
    if (!size) return Failure{size.error()};
    const auto cache = context.settings.choice("loop-cache", "buffered", {"buffered", "direct"});
    if (!cache) return Failure{cache.error()};
    const std::string path = context.directory + "/mnt/disk";
    const Fd backing(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!backing.valid() || ::ftruncate(backing.get(), static_cast<off_t>(*size)) != 0)
      return fail_errno("make " + path, errno);
    auto device = attach_loop_device(backing, *cache == "direct");
    if (!device) return Failure{device.error()};
    device_ = std::move(*device);
    return device_.path;
  }
  Result<> inject(pid_t) override { return {}; }
  Result<> heal() override { return {}; }
  // The last user frees it: this process, or a load that still ends.
  Result<> remove() override {
    device_.fd.reset();
    return {};
  }

 private:
  LoopDevice device_;
};

constexpr WorkloadParameter kParameters[] = {
    {"loop-size", "64MiB", "size of the file under the loop device"},
    {"loop-cache", "buffered", "whether the device uses the file's page cache: buffered, direct"},
};

}  // namespace

InjectorInfo loop_file_injector();
InjectorInfo loop_file_injector() {
  return {.name = "loop-file",
          .summary = "a loop device on a file of the FUSE service",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<LoopFile>()); }};
}

}  // namespace stallproof
