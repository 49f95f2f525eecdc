// SPDX-License-Identifier: Apache-2.0
// Files are made, filled a little and removed, as by a program that keeps its state in small files:
// each step changes the file system itself (mnt_want_write, fs/namespace.c, 6.18), not only what is
// in a file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/fd.h"
#include "workloads/catalogue.h"
#include "workloads/first_few.h"

namespace stallproof {
namespace {

constexpr Nanos kThink = kMillisecond;

class FileChurn : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override {
    path_ = load.file;
    return {};
  }
  Result<> run(WorkerContext& ctx) override;

 private:
  bool make(WorkerContext& ctx, const std::string& path);
  bool remove(WorkerContext& ctx, const std::string& path);
  void tell(const char* what, const std::string& path, int error) {
    if (failures_.wanted())
      failures_.tell(fmt::format("file-churn: {} {}: {}", what, path, std::strerror(error)));
  }

  std::string path_;
  FirstFew failures_;
};

Result<> FileChurn::run(WorkerContext& ctx) {
  for (std::uint64_t turn = 0; !ctx.stopping(); ++turn) {
    const std::string path = fmt::format("{}.{}.{}", path_, ctx.index, turn);
    const bool done = make(ctx, path) && remove(ctx, path);
    ctx.pause(done ? kThink : kPauseAfterFailure);
  }
  return {};
}

bool FileChurn::make(WorkerContext& ctx, const std::string& path) {
  static constexpr std::array<char, 512> kContent{};
  OpScope op(ctx.slot, Op::create, 0);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const ssize_t moved =
      file.valid() ? ::write(file.get(), kContent.data(), kContent.size()) : ssize_t{-1};
  if (moved == static_cast<ssize_t>(kContent.size())) return true;
  const int error = moved < 0 ? errno : 0;
  op.failed(error);
  tell("make", path, error != 0 ? error : ENOSPC);  // a file system that takes half is full
  if (file.valid()) ::unlink(path.c_str());
  return false;
}

bool FileChurn::remove(WorkerContext& ctx, const std::string& path) {
  OpScope op(ctx.slot, Op::remove, 0);
  if (::unlink(path.c_str()) == 0) return true;
  const int error = errno;
  op.failed(error);
  tell("remove", path, error);
  return false;
}

constexpr std::string_view kExercises[] = {"inode.rwsem", "sb.write"};

}  // namespace

WorkloadInfo file_churn_workload();
WorkloadInfo file_churn_workload() {
  return {.name = "file-churn",
          .thread_prefix = "file-churn",
          .summary = "small files are made, filled and removed beside the file",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<FileChurn>()); }};
}

}  // namespace stallproof
