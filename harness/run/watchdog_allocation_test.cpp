// SPDX-License-Identifier: Apache-2.0
// The watchdog's loop may not allocate: malloc can take mmap_lock, and a page fault can wait for
// the disk that is stuck. Every operator new of this program is counted, over whole ticks: views,
// scans, samples of the machine, detectors, an incident from its opening to its end.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "harness/run/target_source.h"
#include "harness/run/watchdog.h"

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t align) {
  ++allocations;
  if (void* memory = std::aligned_alloc(static_cast<std::size_t>(align), size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*align*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*align*/) noexcept {
  std::free(memory);
}

namespace stallproof {
namespace {

constexpr Nanos kTick = 10 * kMillisecond;

struct Channel {
  Channel() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // The next event of that kind among those that wait.
  [[nodiscard]] bool heard(WatchEventKind kind) const {
    WatchEvent event{};
    while (::recv(ends[0], &event, sizeof event, MSG_DONTWAIT) == sizeof event)
      if (event.kind == kind) return true;
    return false;
  }
  int ends[2] = {-1, -1};
};

std::unique_ptr<Watchdog> make_watchdog(std::unique_ptr<ProgressSource> progress,
                                        const Evidence& evidence, const Channel& channel) {
  auto attached = Evidence::attach(evidence.fd());
  EXPECT_TRUE(attached);
  WatchdogOptions options{.tick = kTick, .channel_fd = channel.ends[1]};
  options.thresholds.stall_after = 100 * kMillisecond;
  auto made = std::make_unique<Watchdog>(std::move(progress), std::move(*attached), options);
  made->open_probes();
  return made;
}

std::size_t allocations_of_ticks(Watchdog& watchdog, int ticks) {
  const std::size_t before = allocations;
  for (int i = 0; i < ticks; ++i) {
    watchdog.tick_once();
    ::usleep(kTick / 1000);
  }
  return allocations - before;
}

TEST(WatchdogAllocation, WholeTicksOverAnIncidentOfOwnLoadAllocateNothing) {
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  const Board::LoadSpec load{"load", 1};
  auto board = Board::create(std::span(&load, 1), 1);
  ASSERT_TRUE(board);
  auto seen = Board::attach(board->fd(), false);
  ASSERT_TRUE(seen);
  evidence->area().watched_fuse[0].store(40);
  evidence->area().watched[0].tgid.store(::getpid());
  const Channel channel;
  auto watchdog =
      make_watchdog(std::make_unique<BoardSource>(std::move(*seen)), *evidence, channel);

  BoardSlot& slot = board->slots()[0];
  { const OpScope done(slot, Op::read, 0); }
  slot.op_started_ns.store(monotonic_now());
  EXPECT_EQ(allocations_of_ticks(*watchdog, 40), 0U);
  EXPECT_TRUE(channel.heard(WatchEventKind::incident_opened));
  { const OpScope done(slot, Op::read, 0); }
  EXPECT_EQ(allocations_of_ticks(*watchdog, 10), 0U);
  EXPECT_TRUE(channel.heard(WatchEventKind::incident_resolved));
  EXPECT_GT(evidence->area().system_count.load(), 2U);
  EXPECT_EQ(evidence->area().view_count.load(), 50U);
}

TEST(WatchdogAllocation, WholeTicksOverForeignLoadAllocateNothing) {
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  evidence->area().watched[0].tgid.store(::getpid());
  const Channel channel;
  auto watchdog =
      make_watchdog(std::make_unique<TargetSource>(100 * kMillisecond), *evidence, channel);
  EXPECT_EQ(allocations_of_ticks(*watchdog, 40), 0U);
  EXPECT_EQ(evidence->area().view_count.load(), 40U);
}

}  // namespace
}  // namespace stallproof
