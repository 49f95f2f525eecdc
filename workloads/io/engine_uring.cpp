// SPDX-License-Identifier: Apache-2.0
// A thread keeps its share of a file's I/Os in flight: one ring, registered buffers and file.
#include <fmt/format.h>
#include <liburing.h>
#include <sched.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include "harness/base/privileges.h"
#include "harness/base/prng.h"
#include "workloads/io/io_account.h"
#include "workloads/io/io_engine.h"

namespace stallproof {
namespace {

// What is submitted at once, at most: a device that completes many I/Os together would else have
// nothing to do until all of them are replaced (virtio-blk: 20 % fewer I/Os with four at once than
// with two at depth 32, 10 % with four than with one at depth 8). Handing over to workers has no
// such gap.
constexpr unsigned kSubmitted = 4;
constexpr unsigned kOfDevice = 16;  // of what a device has in flight, that part
constexpr Nanos kLookAtPhase = 20 * kMillisecond;

// The ring is this thread's alone. `deferred`: completions are made where it waits for them (6.1
// and later), which is faster where workers of the ring or a single I/O wake it: 1.8 times on tmpfs
// at depth 8. Several I/Os of a device cost less (a fifth at depth 8) when they are not.
int open_ring(io_uring& ring, unsigned entries, bool deferred) {
  io_uring_params params{};
  params.flags = IORING_SETUP_CLAMP;
#ifdef IORING_SETUP_DEFER_TASKRUN
  params.flags |= IORING_SETUP_SINGLE_ISSUER;
  if (deferred) params.flags |= IORING_SETUP_DEFER_TASKRUN;
  if (::io_uring_queue_init_params(entries, &ring, &params) == 0) return 0;
  params = {};
  params.flags = IORING_SETUP_CLAMP;
#endif
  return ::io_uring_queue_init_params(entries, &ring, &params);
}

void run_on(const std::vector<int>& cpus, cpu_set_t& set) {
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
}

// The calling thread and the workers of its ring hand each I/O to each other. With CPUs for the
// workers, both go on without waking anybody, and a thread that may move steps aside for a busy
// neighbour. Where every CPU has a ring of its own, thread and workers take turns on one, for which
// a thread that hands its I/Os over untried has to be waited for less often. True then.
bool settle(io_uring& ring, const Fd& file, const EngineThread& thread) {
  const std::vector<int> cpus = usable_cpus();
  if (cpus.size() < 2 || never_blocks(file)) return false;
  const bool shared = thread.of >= cpus.size();
  const int own = cpus[thread.number % cpus.size()];
  cpu_set_t workers;
  run_on(shared ? std::vector<int>{own} : std::vector<int>(cpus.begin() + thread.of, cpus.end()),
         workers);
  if (::io_uring_register_iowq_aff(&ring, sizeof workers, &workers) != 0 || !shared) return false;
  ::sched_setaffinity(0, sizeof workers, &workers);
  // Workers inherit it: whoever wakes waits for the other's turn to end.
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  return true;
}

class UringThread {
 public:
  UringThread(EngineContext& context, const EngineThread& thread)
      : context_(context),
        file_(context.job.files[thread.file]),
        thread_(thread),
        largest_(context.job.largest_transfer(thread.file)),
        chooser_(Prng::mix(context.job.seed + file_.first_slot + thread.first + 1), thread.first),
        turn_(thread.first),
        flights_(thread.count) {
    for (std::uint32_t i = thread.count; i > 0; --i) free_.push_back(i - 1);
  }

  Result<> open() {
    // More entries than fit into the ring are submitted in turns.
    const Fd& file = context_.files[thread_.file];
    const bool device = never_blocks(file);
    const bool deferred = thread_.count == 1 || !device;
    if (device) submitted_ = std::clamp(thread_.count / kOfDevice, 1U, kSubmitted);
    if (const int error = open_ring(ring_, std::min<std::uint32_t>(thread_.count, 4096), deferred);
        error != 0)
      return fail_errno("io_uring", -error, "", Origin::lacking);
    std::vector<iovec> pieces;
    for (std::uint32_t i = 0; i < thread_.count; ++i) {
      Flight& flight = flights_[i];
      flight.buffer = heap_buffer(2 * rounded());  // to read into, to write from
      fill_with_noise(flight.buffer.get() + rounded(), largest_,
                      context_.job.seed + thread_.first + i);
      pieces.push_back({flight.buffer.get(), 2 * rounded()});
    }
    if (const int error = ::io_uring_register_buffers(&ring_, pieces.data(),
                                                      static_cast<unsigned>(pieces.size()));
        error != 0)
      return fail_errno("io_uring: registering buffers", -error, "raise ulimit -l",
                        Origin::lacking);
    const int fd = file.get();
    if (const int error = ::io_uring_register_files(&ring_, &fd, 1); error != 0)
      return fail_errno("io_uring: registering the file", -error, "", Origin::lacking);
    untried_ = settle(ring_, file, thread_);
    return {};
  }

  UringThread(const UringThread&) = delete;
  UringThread& operator=(const UringThread&) = delete;
  ~UringThread() {
    if (ring_.ring_fd > 0) ::io_uring_queue_exit(&ring_);
  }

  [[nodiscard]] bool idle() const { return in_flight_ == 0; }

  void run() {
    while (!context_.stopping() && !(over_ && in_flight_ == 0)) {
      start_due();
      wait_and_take();
    }
    over_ = true;  // only what is in flight is waited for
    if (held_ && !free_.empty()) slot(free_.back()).op_started_ns.store(0);
    while (in_flight_ > 0 && !context_.ended.load(std::memory_order_relaxed)) wait_and_take();
  }

 private:
  struct Flight {
    IoRequest io;
    Nanos began = 0;
    HeapBuffer buffer;
  };

  [[nodiscard]] std::size_t rounded() const { return (largest_ + 4095) / 4096 * 4096; }
  [[nodiscard]] BoardSlot& slot(std::uint32_t i) {
    return context_.board.slots()[file_.first_slot + thread_.first + i];
  }

  // Starts what is due, as long as there is room.
  void start_due() {
    const Nanos now = monotonic_now();
    next_due_ = now + kLookAtPhase;
    while (!free_.empty() && !over_) {
      if (!held_) {
        chooser_.serve(thread_.first + free_.back());
        const NextIo next = context_.source->next(thread_.file, chooser_, turn_, now);
        if (next.kind == NextIo::ended) {
          over_ = true;
          return;
        }
        if (next.kind == NextIo::wait) {
          next_due_ = std::min(next_due_, next.until);
          return;
        }
        held_ = next.io;
      }
      if (held_->due > now) {
        // A worker that is frozen while it waits shows by what is overdue.
        io_begins(slot(free_.back()), *held_, held_->due);
        next_due_ = std::min(next_due_, held_->due);
        return;
      }
      if (!start(*held_, now)) return;
      held_.reset();
      if (::io_uring_sq_ready(&ring_) == submitted_ && !free_.empty()) ::io_uring_submit(&ring_);
    }
  }

  bool start(const IoRequest& io, Nanos now) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) return false;
    const std::uint32_t i = free_.back();
    free_.pop_back();
    Flight& flight = flights_[i];
    flight.io = io;
    flight.began = now;
    if (io.write) {
      ::io_uring_prep_write_fixed(entry, 0, flight.buffer.get() + rounded(), io.size, io.offset,
                                  static_cast<int>(i));
    } else {
      poison(flight.buffer.get(), io.size);
      ::io_uring_prep_read_fixed(entry, 0, flight.buffer.get(), io.size, io.offset,
                                 static_cast<int>(i));
    }
    entry->flags |= untried_ ? IOSQE_FIXED_FILE | IOSQE_ASYNC : IOSQE_FIXED_FILE;
    ::io_uring_sqe_set_data64(entry, i);
    io_begins(slot(i), io, now);
    ++in_flight_;
    return true;
  }

  void wait_and_take() {
    if (in_flight_ == 0) {
      ::io_uring_submit(&ring_);
      context_.sleep_until(next_due_);
      return;
    }
    io_uring_cqe* entry = nullptr;
    // Full: whatever ends first lets the next begin. Else not longer than until the next is due.
    const bool full = free_.empty() || over_;
    const Nanos now = full ? 0 : monotonic_now();
    const Nanos span = full ? kLookAtPhase : next_due_ > now ? next_due_ - now : 0;
    __kernel_timespec limit{static_cast<long long>(span / kSecond),
                            static_cast<long long>(span % kSecond)};
    if (span == 0)
      ::io_uring_submit_and_get_events(&ring_);
    else
      ::io_uring_submit_and_wait_timeout(&ring_, &entry, 1, &limit, nullptr);
    take_completions();
  }

  void take_completions() {
    unsigned head = 0;
    unsigned taken = 0;
    io_uring_cqe* entry = nullptr;
    Nanos now = 0;
    const std::uint32_t interval = context_.panel.header().interval.load(std::memory_order_relaxed);
    io_uring_for_each_cqe(&ring_, head, entry) {
      if (now == 0) now = monotonic_now();
      ++taken;
      if (entry->user_data >= flights_.size()) continue;  // a time-out's own, on old kernels
      finish(static_cast<std::uint32_t>(entry->user_data), entry->res, now, interval);
    }
    ::io_uring_cq_advance(&ring_, taken);
  }

  void finish(std::uint32_t i, int result, Nanos now, std::uint32_t interval) {
    const Flight& flight = flights_[i];
    int error = 0;
    if (result < 0)
      error = -result;
    else if (result != static_cast<int>(flight.io.size))
      error = kShortTransfer;
    else if (!flight.io.write && still_poisoned(flight.buffer.get(), flight.io.size))
      error = kUntouchedBuffer;
    const std::uint32_t slot_number = file_.first_slot + thread_.first + i;
    io_ends(slot(i), context_.panel.cell(slot_number, flight.io.stream), flight.io, flight.began,
            now, interval, error);
    if (error != 0)
      context_.panel.note_fault({.realtime_ns = realtime_now(),
                                 .offset = flight.io.offset,
                                 .size = flight.io.size,
                                 .error = error,
                                 .stream = flight.io.stream,
                                 .write = flight.io.write,
                                 .tid = slot(i).tid.load(std::memory_order_relaxed)});
    free_.push_back(i);
    --in_flight_;
  }

  EngineContext& context_;
  const JobFile& file_;
  const EngineThread thread_;
  std::uint64_t largest_;
  Chooser chooser_;
  std::uint64_t turn_;
  io_uring ring_{};
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_;
  std::optional<IoRequest> held_;  // chosen, not due yet
  Nanos next_due_ = 0;
  std::uint32_t in_flight_ = 0;
  bool over_ = false;
  unsigned submitted_ = kSubmitted;
  bool untried_ = false;  // workers of the ring make every I/O
};

}  // namespace

std::string uring_problem() {
  int error = 0;
  // As a load is: kernel.io_uring_disabled = 1 asks for CAP_SYS_ADMIN, which loads give up.
  std::thread([&error] {
    give_up_all_but(kKeptByLoads);
    io_uring ring{};
    error = -open_ring(ring, 8, true);
    if (error == 0) ::io_uring_queue_exit(&ring);
  }).join();
  if (error == 0) return {};
  return fmt::format("io_uring: {} (sysctl kernel.io_uring_disabled?)", std::strerror(error));
}

void run_uring_thread(EngineContext& context, const EngineThread& thread) {
  auto self = std::make_unique<UringThread>(context, thread);
  if (auto opened = self->open(); !opened) {
    context.refuse(opened.error());
    return;
  }
  if (context.wait_for_run(thread)) self->run();
  // Its buffers stay while I/Os are in flight into them, until the process ends.
  if (!self->idle()) static_cast<void>(self.release());
}

}  // namespace stallproof
