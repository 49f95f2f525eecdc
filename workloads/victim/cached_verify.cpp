// SPDX-License-Identifier: Apache-2.0
// Reads of a file that is in the page cache, each verified as part of the op: nothing of it waits
// for a device, all of it is work for a CPU.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/content/stamp.h"
#include "workloads/content/test_file.h"
#include "workloads/first_few.h"
#include "workloads/io/heap_buffer.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kFileSize = 32U << 20U;

class CachedVerify : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { file_ = {}; }

 private:
  void read_one(WorkerContext& ctx, std::byte* buffer, std::uint64_t offset);

  std::string path_;
  TestFile file_;
  std::uint64_t size_ = 0;
  FirstFew failures_;
};

Result<> CachedVerify::configure(const LoadContext& load) {
  const auto size = load.settings.size("verify-size", 0);
  if (!size) return Failure{size.error()};
  if (*size == 0 || *size % kPage != 0 || *size > kFileSize)
    return fail(
        fmt::format("verify-size: {} is not a multiple of {} up to {}", *size, kPage, kFileSize));
  size_ = *size;
  return {};
}

Result<> CachedVerify::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  path_ = load.file;
  auto file = open_test_file({.load = "cached-verify", .path = path_, .size = kFileSize});
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  return {};
}

Result<> CachedVerify::run(WorkerContext& ctx) {
  const HeapBuffer buffer = heap_buffer(size_);
  Prng prng(ctx.seed);
  while (!ctx.stopping()) read_one(ctx, buffer.get(), prng.below(kFileSize / size_) * size_);
  return {};
}

void CachedVerify::read_one(WorkerContext& ctx, std::byte* buffer, std::uint64_t offset) {
  OpScope op(ctx.slot, Op::read, offset);
  const ssize_t got = ::pread(file_.fd.get(), buffer, size_, static_cast<off_t>(offset));
  if (got != static_cast<ssize_t>(size_)) {
    const int error = errno;
    op.failed(got < 0 ? error : 0);
    if (failures_.wanted())
      failures_.tell(fmt::format("cached-verify: read at {} of {}: {}", offset, path_,
                                 got < 0 ? std::strerror(error) : "cut short"));
    return;
  }
  if (first_wrong_stamp(offset, 0, {buffer, size_})) count_one(ctx.slot.mismatches);
  op.done(size_);
}

constexpr std::string_view kExercises[] = {"page_cache.read"};
constexpr WorkloadParameter kParameters[] = {
    {"verify-size", "8MiB", "bytes for each read, at most 32MiB"},
};

}  // namespace

WorkloadInfo cached_verify_workload();
WorkloadInfo cached_verify_workload() {
  return {.name = "cached-verify",
          .thread_prefix = "verify",
          .summary = "buffered reads from the page cache, verified as part of the op",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<CachedVerify>()); }};
}

}  // namespace stallproof
