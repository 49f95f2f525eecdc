// SPDX-License-Identifier: Apache-2.0
// Each thread changes its own file's times and asks for that to be on disk, as a database does with
// its log: nothing is written but the file system's journal, and each call waits for a commit of it
// (fsync; ext4_sync_file, fs/ext4/fsync.c, 6.18).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/fd.h"
#include "workloads/catalogue.h"
#include "workloads/first_few.h"

namespace stallproof {
namespace {

class JournalSync : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override {
    path_ = load.file;
    return {};
  }
  Result<> run(WorkerContext& ctx) override;

 private:
  void change(WorkerContext& ctx, const Fd& file, const std::string& path);

  std::string path_;
  FirstFew failures_;
};

Result<> JournalSync::run(WorkerContext& ctx) {
  const std::string path = fmt::format("{}.{}", path_, ctx.index);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_errno("journal-sync: make " + path, errno);
  while (!ctx.stopping()) {
    change(ctx, file, path);
    ctx.pause(kMillisecond);
  }
  ::unlink(path.c_str());
  return {};
}

void JournalSync::change(WorkerContext& ctx, const Fd& file, const std::string& path) {
  OpScope op(ctx.slot, Op::setattr, 0);
  if (::futimens(file.get(), nullptr) == 0 && ::fsync(file.get()) == 0) return;
  const int error = errno;
  op.failed();
  if (failures_.wanted())
    failures_.tell(fmt::format("journal-sync: fsync {}: {}", path, std::strerror(error)));
}

constexpr std::string_view kExercises[] = {"fs.fsync", "fs.journal"};

}  // namespace

WorkloadInfo journal_sync_workload();
WorkloadInfo journal_sync_workload() {
  return {.name = "journal-sync",
          .thread_prefix = "journal",
          .summary = "changes of files' attributes, each made durable by fsync",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<JournalSync>()); }};
}

}  // namespace stallproof
