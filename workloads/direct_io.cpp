// SPDX-License-Identifier: Apache-2.0
// Direct reads and writes as vdbench makes them: one thread has one I/O in flight, from and into
// ordinary page-aligned heap memory, all threads through one descriptor. Each I/O pins its buffer
// in the submitter and takes its mmap_lock if the pages are not at hand (iov_iter_extract_pages,
// lib/iov_iter.c, 6.12). What is read is verified: each block is written by one thread only, which
// therefore knows what it must hold; with file-writers=many it must be what somebody wrote there.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/content/expected_content.h"
#include "workloads/content/file_share.h"
#include "workloads/content/test_file.h"
#include "workloads/first_few.h"
#include "workloads/io/arrivals.h"
#include "workloads/io/heap_buffer.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096, kSector = 512;
constexpr std::uint64_t kLargest = 64ULL << 20U;

class DirectIo : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { data_.reset(); }

 private:
  class Thread;

  Result<> open_data();
  Result<> try_transfer();
  Result<> share_blocks(unsigned threads);

  std::string path_;
  std::uint64_t size_ = 0, file_size_ = 0;
  double rate_ = 0;  // a second and thread; 0: no limit
  unsigned read_percent_ = 0;
  bool sequential_ = false, buffered_allowed_ = false;
  FileShare share_;

  TestFile file_;
  Fd data_;
  std::uint64_t first_block_ = 0, blocks_ = 0;  // of them are used
  unsigned threads_ = 1;
  bool shared_ = false;  // read-only, and all threads read all blocks
  ExpectedContent content_;
  FirstFew failures_, mismatches_;
};

Result<> DirectIo::configure(const LoadContext& load) {
  const Settings& settings = load.settings;
  const auto size = settings.size("io-size", kPage);
  if (!size) return Failure{size.error()};
  if (*size == 0 || *size % kSector != 0 || *size > kLargest)
    return fail(
        fmt::format("io-size: {} is not a multiple of {} up to {}", *size, kSector, kLargest));
  const auto file_size = settings.size("io-file-size", 0);
  if (!file_size) return Failure{file_size.error()};
  if (*file_size % *size != 0)
    return fail(fmt::format("io-file-size: {} is not a multiple of io-size={}", *file_size, *size));
  const auto percent = settings.count("io-read-percent", 0);
  if (!percent) return Failure{percent.error()};
  if (*percent > 100) return fail(fmt::format("io-read-percent: {} is more than 100", *percent));
  const auto order = settings.choice("io-order", "random", {"random", "sequential"});
  if (!order) return Failure{order.error()};
  const auto rate = settings.count("io-rate", 0);
  if (!rate) return Failure{rate.error()};
  const auto every = settings.duration("io-every", 0);
  if (!every) return Failure{every.error()};
  if (*every != 0 && *rate != 0) return fail("io-every: there is an io-rate (leave one out)");
  const auto direct = settings.choice("direct", "on", {"on", "auto"});
  if (!direct) return Failure{direct.error()};
  const auto share = read_file_share(settings);
  if (!share) return Failure{share.error()};
  share_ = *share;
  size_ = *size;
  file_size_ = *file_size;
  read_percent_ = static_cast<unsigned>(*percent);
  sequential_ = *order == "sequential";
  rate_ = *every != 0 ? static_cast<double>(kSecond) / static_cast<double>(*every)
                      : static_cast<double>(*rate);
  buffered_allowed_ = *direct == "auto";
  return {};
}

Result<> DirectIo::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  path_ = load.file;
  auto file = open_test_file({.load = "direct-io",
                              .path = path_,
                              .size = file_size_,
                              .changes = read_percent_ < 100,
                              .share = share_});
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  if (auto shared = share_blocks(load.threads); !shared) return shared;
  if (auto opened = open_data(); !opened) return opened;
  auto content = ExpectedContent::create({.block = size_,
                                          .blocks = file_.end() / size_,
                                          .tracked = read_percent_ < 100 || share_.many_writers,
                                          .any_writer = share_.many_writers});
  if (!content) return fail("direct-io: " + content.error().what);
  content_ = std::move(*content);
  return try_transfer();
}

// The first page of what changes says whose it is, and is left alone.
Result<> DirectIo::share_blocks(unsigned threads) {
  threads_ = threads;
  const bool all_read = read_percent_ == 100 && !share_.shared();
  first_block_ = (file_.begin + (all_read ? 0 : kPage) + size_ - 1) / size_;
  const std::uint64_t all = file_.end() / size_;
  blocks_ = all > first_block_ ? all - first_block_ : 0;
  shared_ = blocks_ < threads;
  if (blocks_ != 0 && (!shared_ || read_percent_ == 100)) return {};
  return fail(
      fmt::format("direct-io: {} holds {} blocks of {} bytes, {} threads need {} (a larger "
                  "io-file-size)",
                  path_, all - file_.begin / size_, size_, threads,
                  first_block_ - file_.begin / size_ + threads));
}

Result<> DirectIo::open_data() {
  const int access = read_percent_ < 100 ? O_RDWR : O_RDONLY;
  data_ = Fd(::open(path_.c_str(), access | O_CLOEXEC | O_DIRECT));
  if (!data_.valid() && errno == EINVAL && buffered_allowed_) {
    std::fprintf(stderr, "direct-io: %s is on a file system without O_DIRECT: I/O is buffered\n",
                 path_.c_str());
    data_ = Fd(::open(path_.c_str(), access | O_CLOEXEC));
  }
  if (data_.valid()) return {};
  const int error = errno;
  return fail_errno("direct-io: open " + path_ + " with O_DIRECT", error,
                    error == EINVAL ? "direct=auto goes on with buffered I/O" : "");
}

// A size that the device does not take is told now, and not a million times in the run.
Result<> DirectIo::try_transfer() {
  const HeapBuffer buffer = heap_buffer(size_);
  if (::pread(data_.get(), buffer.get(), size_, 0) >= 0) return {};
  const int error = errno;
  return fail_errno(fmt::format("direct-io: read {} bytes of {}", size_, path_), error,
                    error == EINVAL ? "io-size must be a multiple of the device's block size" : "");
}

class DirectIo::Thread {
 public:
  Thread(DirectIo& load, WorkerContext& ctx)
      : load_(load), ctx_(ctx), prng_(ctx.seed), buffer_(heap_buffer(load.size_)) {
    if (load.rate_ != 0)
      arrivals_.emplace(monotonic_now(), load.rate_, ArrivalDistribution::deterministic, ctx.seed);
  }

  void run() {
    while (wait_for_turn()) {
      const std::uint64_t block = choose_block();
      const bool write = prng_.below(100) >= load_.read_percent_;
      if (!(write ? write_block(block) : read_block(block))) ctx_.pause(kPauseAfterFailure);
    }
    ctx_.slot.op_started_ns.store(0, std::memory_order_release);
  }

 private:
  // A worker that is frozen while it waits shows by what is overdue. False: stop.
  bool wait_for_turn() {
    if (!arrivals_) return !ctx_.stopping();
    const Nanos due = arrivals_->next();
    const Nanos now = monotonic_now();
    if (due <= now) return !ctx_.stopping();
    ctx_.slot.op_started_ns.store(due, std::memory_order_release);
    ctx_.pause(due - now);
    return !ctx_.stopping();
  }

  std::uint64_t choose_block() {
    const std::uint64_t own = load_.shared_ ? load_.blocks_ : load_.blocks_ / load_.threads_;
    const std::uint64_t pick = load_.sequential_ ? turn_++ % own : prng_.below(own);
    return load_.first_block_ + (load_.shared_ ? pick : pick * load_.threads_ + ctx_.index);
  }

  bool read_block(std::uint64_t block) {
    if (!transfer(block, false)) return false;
    const auto wrong = load_.content_.check(block, {buffer_.get(), load_.size_});
    if (!wrong) return true;
    count_one(ctx_.slot.mismatches);
    if (load_.mismatches_.wanted())
      load_.mismatches_.tell(fmt::format("direct-io: wrong data: {} at offset {} {}", load_.path_,
                                         wrong->offset, wrong->what));
    return true;
  }

  bool write_block(std::uint64_t block) {
    generation_ = ExpectedContent::after(generation_);
    fill_stamp(block * load_.size_, generation_, {buffer_.get(), load_.size_});
    if (transfer(block, true)) {
      load_.content_.wrote(block, generation_);
      return true;
    }
    load_.content_.unsure(block);
    return false;
  }

  bool transfer(std::uint64_t block, bool write) {
    const std::uint64_t offset = block * load_.size_;
    OpScope op(ctx_.slot, write ? Op::write : Op::read, offset);
    const auto at = static_cast<off_t>(offset);
    ssize_t moved = -1;
    do {
      moved = write ? ::pwrite(load_.data_.get(), buffer_.get(), load_.size_, at)
                    : ::pread(load_.data_.get(), buffer_.get(), load_.size_, at);
    } while (moved < 0 && errno == EINTR && !ctx_.stopping());
    if (moved == static_cast<ssize_t>(load_.size_)) {
      op.done(load_.size_);
      return true;
    }
    const int error = errno;
    op.failed(moved < 0 ? error : 0);
    if (load_.failures_.wanted())
      load_.failures_.tell(fmt::format(
          "direct-io: {} of {} bytes at offset {} of {}: {}", write ? "write" : "read", load_.size_,
          offset, load_.path_,
          moved < 0 ? std::strerror(error) : fmt::format("only {} were transferred", moved)));
    return false;
  }

  DirectIo& load_;
  WorkerContext& ctx_;
  Prng prng_;
  HeapBuffer buffer_;
  std::optional<Arrivals> arrivals_;
  std::uint64_t turn_ = 0;
  Generation generation_ = 0;
};

Result<> DirectIo::run(WorkerContext& ctx) {
  Thread thread(*this, ctx);
  thread.run();
  return {};
}

constexpr std::string_view kExercises[] = {"mmap_lock.read", "direct_io.pin", "inode.rwsem"};
constexpr WorkloadParameter kParameters[] = {
    {"io-size", "4KiB", "bytes for each transfer, a multiple of 512"},
    {"io-read-percent", "70", "percent of the transfers that read; the others write"},
    {"io-order", "random", "random or sequential, over the blocks that belong to the thread"},
    {"io-rate", "0", "I/Os a second for each thread, on an absolute schedule; 0: no limit"},
    {"io-every", "0s", "instead of io-rate: from one I/O of a thread to its next"},
    {"io-file-size", "256MiB", "make or lengthen the file to this size; 0: as it is"},
    {"file-part", "all", "all of the file, or a part of it: 2/3 is the second of three equal ones"},
    {"file-writers", "one", "one, or many: others write the same blocks; verified loosely"},
    {"direct", "on", "on: O_DIRECT or refuse; auto: buffered where O_DIRECT is not known"},
};

}  // namespace

WorkloadInfo direct_io_workload();
WorkloadInfo direct_io_workload() {
  return {.name = "direct-io",
          .thread_prefix = "dio",
          .summary = "O_DIRECT reads and writes of a file of its own, what is read is verified",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 8,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<DirectIo>()); }};
}

}  // namespace stallproof
