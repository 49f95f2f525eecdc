// SPDX-License-Identifier: Apache-2.0
#include "harness/board/board.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <string>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::size_t kSlotsOffset = (sizeof(BoardHeader) + 4095) / 4096 * 4096;

std::size_t board_size(std::size_t slots) { return kSlotsOffset + slots * sizeof(BoardSlot); }

}  // namespace

Board::Board(Board&& other) noexcept { *this = std::move(other); }

Board& Board::operator=(Board&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(header_, other.header_);
  std::swap(slots_, other.slots_);
  std::swap(slot_count_, other.slot_count_);
  std::swap(load_count_, other.load_count_);
  std::swap(loads_, other.loads_);
  return *this;
}

Board::~Board() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

Result<Board> Board::create(std::span<const LoadSpec> loads, std::uint64_t seed) {
  std::size_t slots = 0;
  for (const LoadSpec& load : loads) slots += load.threads;
  if (loads.size() > kMaxLoads || slots == 0 || slots > kMaxSlots)
    return fail("board: between 1 and " + std::to_string(kMaxSlots) + " threads in at most " +
                std::to_string(kMaxLoads) + " loads are possible (asked for " +
                std::to_string(slots) + ")");
  auto shared = create_shared_memory("board", board_size(slots));
  if (!shared) return Failure(shared.error());
  const Fd fd = std::move(*shared);

  void* base = ::mmap(nullptr, board_size(slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return fail_errno("board: map shared memory", errno, "free memory");
  auto* header = static_cast<BoardHeader*>(base);
  header->slot_count = static_cast<std::uint32_t>(slots);
  header->load_count = static_cast<std::uint32_t>(loads.size());
  header->seed = seed;
  header->started_ns = monotonic_now();
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    LoadEntry& entry = header->loads[i];
    const std::size_t length = std::min(loads[i].name.size(), sizeof entry.name - 1);
    std::memcpy(entry.name, loads[i].name.data(), length);
    entry.first_slot = next;
    entry.slot_count = loads[i].threads;
    next += loads[i].threads;
  }
  header->abi = kBoardAbi;
  header->magic = kBoardMagic;
  ::munmap(base, board_size(slots));
  return attach(fd.get(), true);
}

Result<Board> Board::attach(int fd, bool writable) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno("board: inherited descriptor", errno, {}, Origin::infra);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size < kSlotsOffset) return fail("board: too small to be one", Origin::infra);
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* base = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return fail_errno("board: map", errno, {}, Origin::infra);
  Board board;
  board.base_ = base;
  board.size_ = size;
  board.header_ = static_cast<BoardHeader*>(base);
  if (auto copied = board.copy_shape(); !copied) return Failure(copied.error());
  board.slots_ = reinterpret_cast<BoardSlot*>(static_cast<char*>(base) + kSlotsOffset);
  board.fd_ = Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!board.fd_.valid())
    return fail_errno("board: duplicate descriptor", errno, {}, Origin::infra);
  return board;
}

// Each count is read once: what was checked is what is used.
Result<> Board::copy_shape() {
  slot_count_ = header_->slot_count;
  load_count_ = header_->load_count;
  if (header_->magic != kBoardMagic || header_->abi != kBoardAbi || slot_count_ > kMaxSlots ||
      board_size(slot_count_) > size_ || load_count_ > kMaxLoads)
    return fail("board: made by another version of stallproof", Origin::infra);
  loads_ = header_->loads;
  for (std::size_t i = 0; i < load_count_; ++i) {
    LoadEntry& load = loads_[i];
    load.name[sizeof load.name - 1] = '\0';
    if (load.slot_count > slot_count_ || load.first_slot > slot_count_ - load.slot_count)
      return fail("board: load " + std::to_string(i) + " claims threads that the board has not",
                  Origin::infra);
  }
  return {};
}

const LoadEntry* Board::find_load(std::string_view name) const {
  for (const LoadEntry& load : loads())
    if (name == load.name) return &load;
  return nullptr;
}

void Board::clear() {
  header_->phase.store(static_cast<std::uint32_t>(Phase::prepare), std::memory_order_release);
  std::memset(static_cast<void*>(&header_->service), 0, sizeof header_->service);
  std::memset(static_cast<void*>(&header_->injector), 0, sizeof header_->injector);
  std::memset(static_cast<void*>(slots_), 0, slot_count_ * sizeof(BoardSlot));
}

void Board::set_phase(Phase phase) {
  header_->phase.store(static_cast<std::uint32_t>(phase), std::memory_order_release);
  ::syscall(SYS_futex, &header_->phase, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Board::wait_phase_change(Phase current, Deadline deadline) const {
  while (phase() == current && !deadline.passed()) {
    const int ms = deadline.poll_ms();
    const timespec wait{ms / 1000, (ms % 1000) * 1'000'000L};
    ::syscall(SYS_futex, &header_->phase, FUTEX_WAIT, static_cast<std::uint32_t>(current), &wait,
              nullptr, 0);
  }
}

}  // namespace stallproof
