// SPDX-License-Identifier: Apache-2.0
// Direct reads by io_uring, several in flight for each thread, nothing registered. Who waits for
// them sleeps interruptibly in io_uring_enter (io_cqring_wait, io_uring/io_uring.c, 6.18): in S, as
// if idle. An op is one batch of reads.
#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "harness/base/fd.h"
#include "harness/base/privileges.h"
#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/first_few.h"
#include "workloads/io/heap_buffer.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kMostDepth = 1024;

class Ring {
 public:
  explicit Ring(unsigned depth) : error_(-::io_uring_queue_init(depth, &ring_, 0)) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (error_ == 0) ::io_uring_queue_exit(&ring_);
  }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
  int error_;
};

std::optional<std::string> no_ring() {
  int error = 0;
  // As a load is: kernel.io_uring_disabled = 1 asks for CAP_SYS_ADMIN, which loads give up.
  std::thread([&error] {
    give_up_all_but(kKeptByLoads);
    error = Ring(2).error();
  }).join();
  if (error == 0) return std::nullopt;
  return fmt::format("io_uring: {} (sysctl kernel.io_uring_disabled?)", std::strerror(error));
}

class UringRead : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { file_.reset(); }

 private:
  int read_batch(WorkerContext& ctx, Ring& ring, std::byte* buffers, Prng& prng);
  int take_batch(Ring& ring);

  std::string path_;
  Fd file_;
  std::uint64_t blocks_ = 0;
  unsigned depth_ = 0;
  FirstFew failures_;
};

Result<> UringRead::configure(const LoadContext& load) {
  const auto depth = load.settings.count("uring-depth", 0);
  if (!depth) return Failure{depth.error()};
  if (*depth < 1 || *depth > kMostDepth)
    return fail(fmt::format("uring-depth: {} is not between 1 and {}", *depth, kMostDepth));
  depth_ = static_cast<unsigned>(*depth);
  return {};
}

Result<> UringRead::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  path_ = load.file;
  file_ = Fd(::open(path_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!file_.valid()) return fail_errno("uring-read: open " + path_ + " with O_DIRECT", errno);
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  if (size < 0) return fail_errno("uring-read: size of " + path_, errno);
  blocks_ = static_cast<std::uint64_t>(size) / kBlock;
  if (blocks_ == 0) return fail(fmt::format("uring-read: {} is empty", path_));
  return {};
}

Result<> UringRead::run(WorkerContext& ctx) {
  Ring ring(depth_);
  if (ring.error() != 0) return fail_errno("uring-read: make a ring", ring.error());
  const HeapBuffer buffers = heap_buffer(depth_ * kBlock);
  Prng prng(ctx.seed);
  while (!ctx.stopping()) {
    const int error = read_batch(ctx, ring, buffers.get(), prng);
    if (error == 0) continue;
    if (failures_.wanted())
      failures_.tell(fmt::format("uring-read: read of {}: {}", path_, std::strerror(error)));
    ctx.pause(kPauseAfterFailure);
  }
  return {};
}

// 0, or the errno of one that failed.
int UringRead::read_batch(WorkerContext& ctx, Ring& ring, std::byte* buffers, Prng& prng) {
  OpScope op(ctx.slot, Op::read, 0);
  for (unsigned i = 0; i < depth_; ++i) {
    io_uring_sqe* const sqe = ::io_uring_get_sqe(ring.get());
    ::io_uring_prep_read(sqe, file_.get(), buffers + i * kBlock, kBlock,
                         prng.below(blocks_) * kBlock);
  }
  int error = -::io_uring_submit(ring.get());
  error = error > 0 ? error : take_batch(ring);
  if (error == 0)
    op.done(depth_ * kBlock);
  else
    op.failed(error);
  return error;
}

int UringRead::take_batch(Ring& ring) {
  int failed = 0;
  for (unsigned left = depth_; left > 0; --left) {
    io_uring_cqe* cqe = nullptr;
    int error = 0;
    do error = -::io_uring_wait_cqe(ring.get(), &cqe);
    while (error == EINTR);
    if (error != 0) return error;
    if (cqe->res != static_cast<int>(kBlock)) failed = cqe->res < 0 ? -cqe->res : EIO;
    ::io_uring_cqe_seen(ring.get(), cqe);
  }
  return failed;
}

constexpr std::string_view kExercises[] = {"io_uring.wait", "direct_io.pin"};
constexpr WorkloadParameter kParameters[] = {
    {"uring-depth", "8", "reads in flight for each thread"},
};

}  // namespace

WorkloadInfo uring_read_workload();
WorkloadInfo uring_read_workload() {
  return {.name = "uring-read",
          .thread_prefix = "uring-read",
          .summary = "O_DIRECT reads by io_uring, nothing registered",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 2,
          .unsupported = no_ring,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<UringRead>()); }};
}

}  // namespace stallproof
