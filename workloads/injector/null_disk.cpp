// SPDX-License-Identifier: Apache-2.0
// The device under the loads turns slow: so slow, if asked for, that the block layer's own limit
// passes first and its driver is told so (blk_mq_timeout_work, block/blk-mq.c, 6.1). Two null_blk
// devices, and a device-mapper device of the run that changes from one to the other.
#include <fmt/format.h>
#include <unistd.h>

#include "workloads/injector/dm_device.h"
#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/left_things.h"
#include "workloads/injector/null_device.h"

namespace stallproof {
namespace {

class NullDisk : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto answers = context.settings.duration("slow-answer", 0);
    if (!answers) return Failure{answers.error()};
    const auto limit = context.settings.duration("slow-limit", 0);
    if (!limit) return Failure{limit.error()};
    directory_ = context.directory;
    auto fast = make("fast", {});
    if (!fast) return Failure{fast.error()};
    fast_ = *fast;
    auto slow = make("slow", {.answers_after = *answers, .times_out_after = *limit});
    if (!slow) return Failure{slow.error()};
    slow_ = *slow;
    const std::string name = kDmPrefix + directory_.substr(directory_.rfind('/') + 1);
    if (auto noted = note_thing(directory_, {"dm", name}); !noted) return Failure{noted.error()};
    auto device = make_dm_device(name, fast_);
    if (!device) return Failure{device.error()};
    device_ = *device;
    return device_.path;
  }
  Result<> inject(pid_t) override { return change_to(slow_); }
  // What is in flight is waited for.
  Result<> heal() override { return is_slow_ ? change_to(fast_) : Result<>{}; }
  Result<> remove() override {
    if (directory_.empty()) return {};
    const std::vector<LeftThing> things = noted_things(directory_);
    for (auto thing = things.rbegin(); thing != things.rend(); ++thing)
      if (auto removed = remove_thing(*thing); !removed) return removed;
    forget_things(directory_);
    return {};
  }

 private:
  // Short: newer kernels make it the name of the disk.
  Result<DmBacking> make(const char* what, const NullDeviceShape& shape) {
    const std::string name = fmt::format("stallproof-{}-{}", ::getpid(), what);
    if (auto noted = note_thing(directory_, {"null_blk", name}); !noted)
      return Failure{noted.error()};
    return make_null_device(name, shape);
  }
  Result<> change_to(const DmBacking& backing) {
    if (auto loaded = load_dm_backing(device_.name, backing); !loaded) return loaded;
    is_slow_ = backing.device == slow_.device;
    return resume_dm_device(device_.name);
  }

  std::string directory_;
  DmBacking fast_, slow_;
  DmDevice device_;
  bool is_slow_ = false;
};

constexpr WorkloadParameter kParameters[] = {
    {"slow-answer", "3s", "what an I/O takes once the device is slow"},
    {"slow-limit", "0", "what the block layer allows an I/O then; 0: its own 30 s"},
};

}  // namespace

InjectorInfo null_disk_injector();
InjectorInfo null_disk_injector() {
  return {.name = "null-disk",
          .summary = "a device without content that turns slow",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<NullDisk>()); }};
}

}  // namespace stallproof
