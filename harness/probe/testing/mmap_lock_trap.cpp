// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/testing/mmap_lock_trap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof::testing {
namespace {

constexpr std::size_t kBytes = 1 << 20;
constexpr std::size_t kFirstPage = 3;  // not the first of the file, so that offsets can be wrong

void* mprotect_when_told(void* argument) {
  auto* board = static_cast<TrapBoard*>(argument);
  void* own = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::prctl(PR_SET_NAME, "trap_writer");
  board->writer_ready.store(true);
  while (!board->go_writer.load()) ::poll(nullptr, 0, 2);
  board->writer.store(::gettid());
  ::mprotect(own, 4096, PROT_READ);
  board->writer_done.store(true);
  for (;;) ::poll(nullptr, 0, 1000);
}

struct Touch {
  TrapBoard* board;
  std::size_t index;
};

void* touch_page(void* argument) {
  const Touch touch = *static_cast<Touch*>(argument);
  const std::uint64_t address = touch.board->fault_addresses[touch.index].load();
  ::prctl(PR_SET_NAME, "trap_faulter");
  while (!touch.board->go_faulters.load()) ::poll(nullptr, 0, 2);
  touch.board->faulters[touch.index].store(::gettid());
  static_cast<void>(*reinterpret_cast<volatile char*>(address));
  for (;;) ::poll(nullptr, 0, 1000);
}

// The threads exist and have their memory before anybody faults: making them later would queue the
// client itself.
[[noreturn]] void run_client(const std::string& file, std::size_t faulters, TrapBoard* board) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // An aborted connection answers the fault with SIGBUS: that ends the client, without a core file.
  ::signal(SIGBUS, [](int) { ::_exit(0); });
  static char page_to_read[4096];
  board->target.store(reinterpret_cast<std::uint64_t>(page_to_read));
  page_to_read[0] = 1;
  const int fd = ::open(file.c_str(), O_RDONLY);
  void* mapping = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) ::_exit(1);
  ::madvise(mapping, kBytes, MADV_RANDOM);
  static std::array<Touch, kMaxFaulters> touches;
  pthread_t thread;
  ::pthread_create(&thread, nullptr, mprotect_when_told, board);
  for (std::size_t i = 0; i < faulters; ++i) {
    touches[i] = {board, i};
    board->fault_addresses[i].store(reinterpret_cast<std::uint64_t>(mapping) +
                                    (kFirstPage + i) * 4096);
    ::pthread_create(&thread, nullptr, touch_page, &touches[i]);
  }
  while (!board->writer_ready.load()) ::poll(nullptr, 0, 2);
  board->go_faulters.store(true);
  for (;;) ::poll(nullptr, 0, 1000);
}

[[noreturn]] void run_peer(pid_t client, TrapBoard* board) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "trap_peer");
  char byte = 0;
  iovec local{&byte, 1};
  iovec remote{reinterpret_cast<void*>(board->target.load()), 1};
  board->peer.store(::gettid());
  ::process_vm_readv(client, &local, 1, &remote, 1, 0);
  board->peer_done.store(true);
  for (;;) ::poll(nullptr, 0, 1000);
}

}  // namespace

MmapLockTrap::MmapLockTrap(const std::string& file, std::size_t faulters)
    : file_(file),
      faulters_(faulters),
      board_(static_cast<TrapBoard*>(::mmap(nullptr, sizeof(TrapBoard), PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

MmapLockTrap::~MmapLockTrap() {
  kill_and_reap(client_);
  kill_and_reap(peer_);
  ::munmap(board_, sizeof(TrapBoard));
}

bool MmapLockTrap::start_faults() {
  client_ = ::fork();
  if (client_ == 0) run_client(file_, faulters_, board_);
  return wait_for(2 * kSecond, [this] {
    for (std::size_t i = 0; i < faulters_; ++i)
      if (board_->faulters[i].load() == 0) return false;
    return true;
  });
}

bool MmapLockTrap::start_writer() {
  board_->go_writer.store(true);
  return wait_for(2 * kSecond, [this] { return board_->writer.load() != 0; });
}

bool MmapLockTrap::start_peer() {
  peer_ = ::fork();
  if (peer_ == 0) run_peer(client_, board_);
  return wait_for(2 * kSecond, [this] { return board_->peer.load() != 0; });
}

}  // namespace stallproof::testing
