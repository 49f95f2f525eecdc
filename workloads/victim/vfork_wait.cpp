// SPDX-License-Identifier: Apache-2.0
// Threads whose vfork(2) takes its time: the parent is in D (kernel_clone, kernel/fork.c, 6.12)
// until the child ends, and nothing is wrong.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "workloads/catalogue.h"
#include "workloads/first_few.h"
#include "workloads/victim/short_child.h"

namespace stallproof {
namespace {

constexpr Nanos kThink = 10 * kMillisecond;
constexpr Nanos kMaxSleep = 10 * kSecond;

class VforkWait : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;

 private:
  void start_one(WorkerContext& ctx, const char* name);

  Nanos sleep_ = 0;
  FirstFew failures_;
};

Result<> VforkWait::prepare(const LoadContext& load) { return configure(load); }

Result<> VforkWait::configure(const LoadContext& load) {
  const auto sleep = load.settings.duration("vfork-sleep", 0);
  if (!sleep) return Failure{sleep.error()};
  if (*sleep > kMaxSleep)
    return fail(
        fmt::format("vfork-sleep: {} is more than 10 s", load.settings.text("vfork-sleep", "")));
  sleep_ = *sleep;
  return {};
}

Result<> VforkWait::run(WorkerContext& ctx) {
  const std::string name = fmt::format("vfork-child/{}", ctx.index);
  while (!ctx.stopping()) {
    start_one(ctx, name.c_str());
    ctx.pause(kThink);
  }
  return {};
}

void VforkWait::start_one(WorkerContext& ctx, const char* name) {
  OpScope op(ctx.slot, Op::vfork, 0);
  const pid_t pid = start_short_child({.name = name, .sleep = sleep_});
  const int error = errno;
  if (pid >= 0 && wait_for_end(pid) == 0) return;
  op.failed(pid < 0 ? kind_of_error(error) : ErrorKind::other);
  if (failures_.wanted())
    failures_.tell(
        fmt::format("vfork-wait: {}", pid < 0 ? std::strerror(error) : "the child was killed"));
}

constexpr std::string_view kExercises[] = {"vfork"};
constexpr WorkloadParameter kParameters[] = {
    {"vfork-sleep", "400ms", "how long each child sleeps, and its parent waits in D"},
};

}  // namespace

WorkloadInfo vfork_wait_workload();
WorkloadInfo vfork_wait_workload() {
  return {.name = "vfork-wait",
          .thread_prefix = "vfork-wait",
          .summary = "vfork with children that take their time: parents in D, and all is well",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<VforkWait>()); }};
}

}  // namespace stallproof
