// SPDX-License-Identifier: Apache-2.0
// Which content each key block of the files under data validation has: shared memory that the
// controller creates once for a whole execution and every worker attaches, so that what was written
// in one run is known in the next, and when a worker died. One byte for each block: its key, and
// whether an I/O is under way on it. Any number of threads and processes; no locks, nothing blocks.
// No pointers inside; sizes and offsets in bytes, times in ms since 1970.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/prng.h"
#include "harness/base/result.h"
#include "workloads/io/validation_block.h"

namespace stallproof {

inline constexpr std::uint64_t kKeyMapsMagic = 0x7370616d'6579656bULL;
inline constexpr std::uint8_t kUnknownKey = 0;  // never written, or content unknown
inline constexpr std::uint8_t kBadKey = 127;    // found bad: not touched any more

// The key of the next write: one more, 126 is followed by 1, and the first one is drawn, lest the
// data of an earlier execution pass for that of this one.
std::uint8_t next_key(std::uint8_t key, Prng& prng);

// What a block was last used for, with success.
enum class LastUse : std::uint8_t { none, read, pre_read, write, read_back };

struct LastUseTime {
  LastUse use = LastUse::none;
  std::uint64_t at_ms = 0;
};

// One map's entry in the shared memory.
struct KeyMapEntry {
  std::uint64_t blocks, keys_at, times_at;  // times_at is 0 when no times are kept
  std::uint32_t block_size;
  alignas(64) std::atomic<std::uint64_t> known;  // blocks with a key
  std::atomic<std::uint64_t> bad;                // blocks
  std::atomic<std::uint64_t> validated;          // checks of a block that found it good, ever
};

// The blocks of one file. A view: it may be copied, and lives no longer than its KeyMaps.
class KeyMap {
 public:
  KeyMap(void* base, KeyMapEntry& entry);

  [[nodiscard]] std::uint64_t blocks() const { return entry_->blocks; }
  [[nodiscard]] std::uint32_t block_size() const { return entry_->block_size; }
  [[nodiscard]] std::uint64_t known() const { return entry_->known.load(); }
  [[nodiscard]] std::uint64_t bad() const { return entry_->bad.load(); }
  [[nodiscard]] std::uint64_t validated() const { return entry_->validated.load(); }
  // As it is now; that of a block that is being written is kBadKey.
  [[nodiscard]] std::uint8_t key(std::uint64_t block) const;
  [[nodiscard]] bool busy(std::uint64_t block) const;
  [[nodiscard]] bool any_known(std::uint64_t first, std::size_t count) const;

  // All of the blocks for the caller alone, and their keys; or none of them.
  enum class Taken { yes, busy, bad };
  Taken try_acquire(std::uint64_t first, std::span<std::uint8_t> keys);
  // The caller is about to write blocks it has: what dies from here on leaves unknown content.
  void begin_write(std::uint64_t first, std::size_t count);
  // Gives blocks back: with the keys that try_acquire gave, and those that they have now.
  void release(std::uint64_t first, std::span<const std::uint8_t> before,
               std::span<const std::uint8_t> after);
  void count_validated(std::uint64_t blocks) {
    entry_->validated.fetch_add(blocks, std::memory_order_relaxed);
  }

  [[nodiscard]] bool keeps_times() const { return times_ != nullptr; }
  void note_use(std::uint64_t block, LastUseTime use);  // by who has the block
  [[nodiscard]] LastUseTime last_use(std::uint64_t block) const;

  // Controller, when nothing runs: blocks that a dead worker had are free again, and of unknown
  // content where it was writing. How many of those there were.
  std::uint64_t settle_abandoned();
  // Controller, before the first run: `keys` is of blocks() bytes, each at most kBadKey.
  void fill(std::span<const std::uint8_t> keys);

 private:
  KeyMapEntry* entry_;
  std::atomic<std::uint8_t>* keys_;
  std::atomic<std::uint64_t>* times_ = nullptr;

  void recount();
};

// What a file's map is of. A block size of 0: the file has none.
struct KeyMapSpec {
  std::uint64_t file_size = 0;
  std::uint32_t block_size = 0;
};

// All maps of an execution. Unmapped on destruction; the memory lives while any process maps it.
class KeyMaps {
 public:
  KeyMaps() = default;
  KeyMaps(const KeyMaps&) = delete;
  KeyMaps& operator=(const KeyMaps&) = delete;
  KeyMaps(KeyMaps&& other) noexcept;
  KeyMaps& operator=(KeyMaps&& other) noexcept;
  ~KeyMaps();

  // Controller. `largest_transfer` of all runs of the execution decides the pattern of all of them.
  static Result<KeyMaps> create(std::span<const KeyMapSpec> specs, std::uint64_t largest_transfer,
                                bool keep_times);
  // Worker, from the inherited descriptor. All of it is in memory then: no I/O takes a page fault.
  static Result<KeyMaps> attach(int fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] KeyMap map(std::size_t index);
  [[nodiscard]] std::uint64_t largest_transfer() const;
  [[nodiscard]] std::uint32_t owner() const;  // process id of the controller

 private:
  Fd fd_;
  void* base_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;

  Result<> map_memory(Fd fd, std::size_t bytes, int flags);
};

}  // namespace stallproof
