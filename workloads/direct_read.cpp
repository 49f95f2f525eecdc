// SPDX-License-Identifier: Apache-2.0
// Direct reads into a private buffer: by the ffs ioctl, for which the service takes this process's
// mmap_lock, or by O_DIRECT pread, for which the kernel pins the buffer here, in the submitter
// (fuse_direct_io, fs/fuse/file.c, 6.12), so that the service needs no lock of ours.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/base/fd.h"
#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/ffs/ffs_ioctl.h"
#include "workloads/ffs/pattern.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kSegment = 1U << 20U;  // as ServicePool::queue_of cuts the file

struct FreeBuffer {
  void operator()(std::byte* buffer) const { std::free(buffer); }
};
using Buffer = std::unique_ptr<std::byte, FreeBuffer>;

class DirectRead : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;

 private:
  Result<> open_file(const std::string& path);
  [[nodiscard]] std::uint64_t pick_offset(Prng& prng, unsigned index) const;
  bool read_into(std::byte* buffer, std::uint64_t offset) const;

  std::uint64_t size_ = 0;
  std::uint64_t queues_ = 0;
  bool pinned_ = false;
  std::uint64_t file_size_ = 0;
  Fd file_;
};

Result<> DirectRead::configure(const LoadContext& load) {
  const Settings& settings = load.settings;
  const auto size = settings.size("direct-size", 0);
  if (!size) return Failure{size.error()};
  if (*size == 0 || *size % kPage != 0 || *size > FFS_DIRECT_READ_MAX)
    return fail(fmt::format("direct-size: {} is not a multiple of {} up to {}", *size, kPage,
                            FFS_DIRECT_READ_MAX));
  const auto pin = settings.choice("pin", "0", {"0", "1"});
  if (!pin) return Failure{pin.error()};
  const auto queues = settings.count("hashed-queues", 0);
  if (!queues) return Failure{queues.error()};
  if (*queues == 1) return fail("hashed-queues: 1 leaves no queue to read from (0 is off)");
  size_ = *size;
  pinned_ = *pin == "1";
  queues_ = *queues;
  return {};
}

Result<> DirectRead::open_file(const std::string& path) {
  file_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | (pinned_ ? O_DIRECT : 0)));
  if (!file_.valid()) return fail_errno("direct-read: open " + path, errno);
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return fail_errno("direct-read: stat " + path, errno);
  // A character device tells its size to lseek only.
  const off_t end = S_ISREG(info.st_mode) ? info.st_size : ::lseek(file_.get(), 0, SEEK_END);
  file_size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  const std::uint64_t least = queues_ == 0 ? size_ : queues_ * kSegment;
  if (file_size_ < least)
    return fail(
        fmt::format("direct-read: {} holds {} bytes, {} are needed", path, file_size_, least));
  return {};
}

Result<> DirectRead::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  return open_file(load.file);
}

// With hashed queues thread 0 of the service gets no direct read, as in the reported stall, and
// each reader stays on one queue, so that no other queue runs empty.
std::uint64_t DirectRead::pick_offset(Prng& prng, unsigned index) const {
  if (queues_ == 0) return prng.below(file_size_ / size_) * size_;
  const std::uint64_t queue = 1 + index % (queues_ - 1);
  const std::uint64_t rounds = file_size_ / kSegment / queues_;
  const std::uint64_t segment = prng.below(rounds) * queues_ + queue;
  return segment * kSegment + prng.below(kSegment / size_) * size_;
}

bool DirectRead::read_into(std::byte* buffer, std::uint64_t offset) const {
  if (pinned_)
    return ::pread(file_.get(), buffer, size_, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(size_);
  ffs_direct_read wanted{};
  wanted.magic = FFS_DIRECT_READ_MAGIC;
  wanted.version = FFS_DIRECT_READ_VERSION;
  wanted.offset = offset;
  wanted.length = size_;
  wanted.buffer = reinterpret_cast<std::uint64_t>(buffer);
  return ::ioctl(file_.get(), FFS_IOC_DIRECT_READ, &wanted) == static_cast<int>(size_);
}

Result<> DirectRead::run(WorkerContext& ctx) {
  Prng prng(ctx.seed);
  const Buffer buffer(static_cast<std::byte*>(std::aligned_alloc(kPage, size_)));
  if (!buffer) return fail(fmt::format("direct-read: no memory for {} bytes", size_));
  while (!ctx.stopping()) {
    const std::uint64_t offset = pick_offset(prng, ctx.index);
    bool complete = false;
    {
      OpScope op(ctx.slot, Op::direct_read, offset);
      complete = read_into(buffer.get(), offset);
      if (complete)
        op.done(size_);
      else
        op.failed();
    }
    if (!complete)
      ctx.pause(kPauseAfterFailure);
    else if (first_wrong_byte(offset, {buffer.get(), size_}))
      count_one(ctx.slot.mismatches);
  }
  return {};
}

constexpr std::string_view kExercises[] = {"mmap_lock.read.remote", "fuse.ioctl", "fuse.direct_io"};
constexpr WorkloadParameter kParameters[] = {
    {"direct-size", "64KiB", "bytes for each direct read, a multiple of the page size"},
    {"pin", "0", "1: O_DIRECT pread, pages pinned at submit; 0: the service copies (ioctl)"},
    {"hashed-queues", "0", "N: leave service thread 0 of N hashed queues without direct reads"},
};

}  // namespace

WorkloadInfo direct_read_workload();
WorkloadInfo direct_read_workload() {
  return {.name = "direct-read",
          .thread_prefix = "direct",
          .summary = "direct reads of random blocks into private memory, every byte verified",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 8,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<DirectRead>()); }};
}

}  // namespace stallproof
