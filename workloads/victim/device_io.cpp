// SPDX-License-Identifier: Apache-2.0
// Direct reads and writes of a spare block device as a whole, one I/O in flight for each thread,
// without a file system between (__blkdev_direct_IO_simple, block/fops.c, 6.18).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/fd.h"
#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/first_few.h"
#include "workloads/io/heap_buffer.h"
#include "workloads/victim/spare_device.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBlock = 4096;

class DeviceIo : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { device_.reset(); }

 private:
  void transfer(WorkerContext& ctx, std::byte* buffer, std::uint64_t offset, bool write);

  std::string path_;
  Fd device_;
  std::uint64_t blocks_ = 0, read_percent_ = 0;
  FirstFew failures_;
};

Result<> DeviceIo::configure(const LoadContext& load) {
  const auto percent = load.settings.count("device-read-percent", 0);
  if (!percent) return Failure{percent.error()};
  if (*percent > 100)
    return fail(fmt::format("device-read-percent: {} is more than 100", *percent));
  read_percent_ = *percent;
  return {};
}

Result<> DeviceIo::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  path_ = load.file;
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return fail_errno("device-io: stat " + path_, errno);
  if (!is_spare_device(path_))
    return fail(fmt::format(
        "device-io: {} is neither a loop device nor one made for this run, and is left alone",
        path_));
  // Refused where it is mounted.
  device_ = Fd(::open(path_.c_str(), O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC));
  if (!device_.valid()) return fail_errno("device-io: open " + path_, errno);
  std::uint64_t size = 0;
  if (::ioctl(device_.get(), BLKGETSIZE64, &size) != 0)
    return fail_errno("device-io: size of " + path_, errno);
  blocks_ = size / kBlock;
  if (blocks_ == 0) return fail(fmt::format("device-io: {} is empty", path_));
  return {};
}

Result<> DeviceIo::run(WorkerContext& ctx) {
  const HeapBuffer buffer = heap_buffer(kBlock);
  Prng prng(ctx.seed);
  while (!ctx.stopping()) {
    const std::uint64_t offset = prng.below(blocks_) * kBlock;
    transfer(ctx, buffer.get(), offset, prng.below(100) >= read_percent_);
  }
  return {};
}

void DeviceIo::transfer(WorkerContext& ctx, std::byte* buffer, std::uint64_t offset, bool write) {
  {
    OpScope op(ctx.slot, write ? Op::write : Op::read, offset);
    const auto at = static_cast<off_t>(offset);
    const ssize_t moved = write ? ::pwrite(device_.get(), buffer, kBlock, at)
                                : ::pread(device_.get(), buffer, kBlock, at);
    if (moved == static_cast<ssize_t>(kBlock)) return op.done(kBlock);
    const int error = errno;
    op.failed(moved < 0 ? error : 0);
    if (failures_.wanted())
      failures_.tell(fmt::format("device-io: {} at {} of {}: {}", write ? "write" : "read", offset,
                                 path_, moved < 0 ? std::strerror(error) : "cut short"));
  }
  ctx.pause(kPauseAfterFailure);
}

constexpr std::string_view kExercises[] = {"block.direct_io"};
constexpr WorkloadParameter kParameters[] = {
    {"device-read-percent", "50", "percent of the transfers that read; the others write"},
};

}  // namespace

WorkloadInfo device_io_workload();
WorkloadInfo device_io_workload() {
  return {.name = "device-io",
          .thread_prefix = "device-io",
          .summary = "O_DIRECT reads and writes of a whole spare device, such as a loop device",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<DeviceIo>()); }};
}

}  // namespace stallproof
