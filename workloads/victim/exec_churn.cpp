// SPDX-License-Identifier: Apache-2.0
// Programs started one after the other by a process that has a file of the target open,
// close-on-exec. Past the point of no return execve closes it, which sends a flush to the file's
// server, with exec_update_lock held (begin_new_exec, fs/exec.c, 6.12): where the server does not
// answer, whoever reads /proc/PID/stat of that child waits as well.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "workloads/catalogue.h"
#include "workloads/first_few.h"
#include "workloads/victim/short_child.h"

namespace stallproof {
namespace {

constexpr Nanos kThink = 10 * kMillisecond;

class ExecChurn : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { file_ = {}; }

 private:
  void start_one(WorkerContext& ctx, const char* name);
  void tell(const std::string& what) {
    if (failures_.wanted()) failures_.tell("exec-churn: " + what);
  }

  Fd file_;
  // A role of this executable that ends at once.
  std::array<char, 11> program_{"stallproof"};
  std::array<char, 6> role_{"child"};
  std::array<char, 8> part_{"nothing"};
  std::array<char*, 4> argv_{program_.data(), role_.data(), part_.data(), nullptr};
  FirstFew failures_;
};

Result<> ExecChurn::prepare(const LoadContext& load) {
  file_ = Fd(::open(load.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_.valid()) return fail_errno("exec-churn: open " + load.file, errno);
  return {};
}

Result<> ExecChurn::run(WorkerContext& ctx) {
  const std::string name = fmt::format("exec-child/{}", ctx.index);
  while (!ctx.stopping()) {
    start_one(ctx, name.c_str());
    ctx.pause(kThink);
  }
  return {};
}

void ExecChurn::start_one(WorkerContext& ctx, const char* name) {
  OpScope op(ctx.slot, Op::exec, 0);
  const pid_t pid = start_short_child({.name = name, .argv = argv_.data()});
  if (pid < 0) {
    const int error = errno;
    op.failed();
    return tell(fmt::format("vfork: {}", std::strerror(error)));
  }
  const auto code = wait_for_end(pid);
  if (code == 0) return;
  op.failed(ErrorKind::other);
  tell(code ? fmt::format("the program that was started ended with {}", *code)
            : "the program that was started was killed");
}

constexpr std::string_view kExercises[] = {"exec.close_on_exec", "fuse.flush"};

}  // namespace

WorkloadInfo exec_churn_workload();
WorkloadInfo exec_churn_workload() {
  return {.name = "exec-churn",
          .thread_prefix = "exec-churn",
          .summary = "starts programs that inherit an open file of the target, close-on-exec",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<ExecChurn>()); }};
}

}  // namespace stallproof
