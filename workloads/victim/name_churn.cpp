// SPDX-License-Identifier: Apache-2.0
// Makes, looks at and removes files in one directory. A file is made with the directory's lock held
// until the file system has answered (open_last_lookups, fs/namei.c, 6.12), so that one name that
// gets no answer stops all work in its directory.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/catalogue.h"
#include "workloads/victim/victim_file.h"

namespace stallproof {
namespace {

class NameChurn : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { ::rmdir(directory_.c_str()); }

 private:
  static bool create(WorkerContext& ctx, const std::string& path);
  static bool look_at(WorkerContext& ctx, const std::string& path);
  static bool remove(WorkerContext& ctx, const std::string& path);

  std::string directory_;
};

Result<> NameChurn::prepare(const LoadContext& load) {
  directory_ = load.file + ".names";
  if (::mkdir(directory_.c_str(), 0700) == 0) return {};
  return fail_errno("name-churn: make " + directory_, errno,
                    errno == EEXIST ? "remove what an earlier run has left" : "");
}

bool NameChurn::create(WorkerContext& ctx, const std::string& path) {
  OpScope op(ctx.slot, Op::create, 0);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) op.failed();
  return file.valid();
}

bool NameChurn::look_at(WorkerContext& ctx, const std::string& path) {
  OpScope op(ctx.slot, Op::getattr, 0);
  struct stat found {};
  const bool done = ::stat(path.c_str(), &found) == 0;
  if (!done) op.failed();
  if (done && (!S_ISREG(found.st_mode) || found.st_size != 0)) count_one(ctx.slot.mismatches);
  return done;
}

bool NameChurn::remove(WorkerContext& ctx, const std::string& path) {
  OpScope op(ctx.slot, Op::remove, 0);
  const bool done = ::unlink(path.c_str()) == 0;
  if (!done) op.failed();
  return done;
}

Result<> NameChurn::run(WorkerContext& ctx) {
  const std::string path = directory_ + "/n" + std::to_string(ctx.index);
  while (!ctx.stopping()) {
    const bool made = create(ctx, path);
    const bool seen = made && look_at(ctx, path);
    if (!(made && remove(ctx, path)) || !seen) ctx.pause(kPauseAfterFailure);
  }
  return {};
}

constexpr std::string_view kExercises[] = {"directory_lock", "fuse.lookup", "fuse.create"};

}  // namespace

WorkloadInfo name_churn_workload();
WorkloadInfo name_churn_workload() {
  return {.name = "name-churn",
          .thread_prefix = "name-churn",
          .summary = "makes, looks at and removes files in one directory of its own",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 3,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<NameChurn>()); }};
}

}  // namespace stallproof
