// SPDX-License-Identifier: Apache-2.0
// The module ffs_stub as target: a lock of a chosen kind is held by it, or nothing is and the loads
// stall by themselves, and the module's abort lets them go.
#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "harness/base/file.h"
#include "workloads/injector/ffs_control.h"
#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/left_things.h"

namespace stallproof {
namespace {

// The module lets go by itself then, whatever has become of us.
constexpr unsigned kHoldSeconds = 900;
constexpr std::string_view kNothing = "none";

// A CPU it keeps for a minute at most.
unsigned seconds_of(const std::string& kind) { return kind == "spin" ? 60 : kHoldSeconds; }

bool of_a_process(const std::string& kind) { return kind.starts_with("mmap_"); }

class FfsModule : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto kind = context.settings.choice(
        "hold", std::string(kNothing),
        {std::string(kNothing), "mmap_read", "mmap_write", "rwsem_read", "rwsem_write", "mutex",
         "semaphore", "completion", "sleep", "spin"});
    if (!kind) return Failure{kind.error()};
    kind_ = *kind;
    directory_ = context.directory;
    const LeftThing thing =
        kind_ == kNothing ? LeftThing{"ffs-abort", "all"} : LeftThing{"ffs-hold", kind_};
    if (auto noted = note_thing(directory_, thing); !noted) return Failure{noted.error()};
    return std::string(kFfsDevice);
  }
  Result<> inject(pid_t worker) override {
    injected_ = true;
    if (kind_ == kNothing) return {};
    return hold_ffs_lock(kind_, of_a_process(kind_) ? fmt::format("{} {}", worker, kHoldSeconds)
                                                    : std::to_string(seconds_of(kind_)));
  }
  void count(ServicePanel& panel) override { count_ffs(panel); }
  Result<> heal() override {
    if (!injected_) return {};
    return kind_ == kNothing ? abort_ffs(true) : release_ffs_lock(kind_);
  }
  Result<> remove() override {
    if (directory_.empty()) return {};
    if (injected_ && kind_ == kNothing)
      if (auto ended = abort_ffs(false); !ended) return ended;
    injected_ = false;
    forget_things(directory_);
    return {};
  }

 private:
  std::string directory_, kind_;
  bool injected_ = false;
};

constexpr WorkloadParameter kParameters[] = {
    {"hold", "none",
     "the lock that is held: none, mmap_read, mmap_write, rwsem_read, rwsem_write, mutex, "
     "semaphore, completion, sleep, spin (the last CPU)"},
};

}  // namespace

InjectorInfo ffs_module_injector();
InjectorInfo ffs_module_injector() {
  return {.name = "ffs-module",
          .summary = "the module ffs_stub holds a lock, or serves the loads until they stall",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<FfsModule>()); }};
}

}  // namespace stallproof
