// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/key_map.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::uint8_t kBusy = 0x80;
constexpr std::uint8_t kBeingWritten = kBusy | kBadKey;
constexpr std::uint64_t kLine = 64;
constexpr unsigned kUseShift = 56;  // use above, ms below

struct KeyMapsHeader {
  std::uint64_t magic;
  std::uint64_t largest_transfer;
  std::uint32_t owner;
  std::uint32_t count;
};

std::uint64_t rounded_up(std::uint64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

std::uint64_t entries_at() { return rounded_up(sizeof(KeyMapsHeader)); }

KeyMapsHeader& header_at(void* base) { return *static_cast<KeyMapsHeader*>(base); }

KeyMapEntry& entry_at(void* base, std::size_t index) {
  return reinterpret_cast<KeyMapEntry*>(static_cast<char*>(base) + entries_at())[index];
}

// Behind each other: header, entries, keys and times of each map.
struct Layout {
  std::vector<std::uint64_t> blocks, keys_at, times_at;
  std::uint64_t end = 0;
};

Layout layout_of(std::span<const KeyMapSpec> specs, bool keep_times) {
  Layout layout;
  layout.end = entries_at() + specs.size() * sizeof(KeyMapEntry);
  for (const KeyMapSpec& spec : specs) {
    const std::uint64_t blocks = spec.block_size == 0 ? 0 : spec.file_size / spec.block_size;
    layout.blocks.push_back(blocks);
    layout.keys_at.push_back(layout.end);
    layout.end += rounded_up(blocks);
    layout.times_at.push_back(keep_times ? layout.end : 0);
    if (keep_times) layout.end += rounded_up(blocks * sizeof(std::uint64_t));
  }
  return layout;
}

bool lies_inside(const KeyMapEntry& entry, std::uint64_t bytes) {
  const auto fits = [bytes](std::uint64_t at, std::uint64_t count, std::uint64_t each) {
    return at <= bytes && count <= (bytes - at) / each;
  };
  return fits(entry.keys_at, entry.blocks, 1) &&
         (entry.times_at == 0 || fits(entry.times_at, entry.blocks, sizeof(std::uint64_t)));
}

void add(std::atomic<std::uint64_t>& counter, std::int64_t difference) {
  if (difference != 0)
    counter.fetch_add(static_cast<std::uint64_t>(difference), std::memory_order_relaxed);
}

bool is_known(std::uint8_t key) { return key >= 1 && key <= kLastValidationKey; }

}  // namespace

std::uint8_t next_key(std::uint8_t key, Prng& prng) {
  if (key == kUnknownKey) return static_cast<std::uint8_t>(1 + prng.below(kLastValidationKey));
  return key >= kLastValidationKey ? std::uint8_t{1} : static_cast<std::uint8_t>(key + 1);
}

KeyMap::KeyMap(void* base, KeyMapEntry& entry)
    : entry_(&entry),
      keys_(
          reinterpret_cast<std::atomic<std::uint8_t>*>(static_cast<char*>(base) + entry.keys_at)) {
  if (entry.times_at != 0)
    times_ =
        reinterpret_cast<std::atomic<std::uint64_t>*>(static_cast<char*>(base) + entry.times_at);
}

std::uint8_t KeyMap::key(std::uint64_t block) const {
  return keys_[block].load(std::memory_order_relaxed) & static_cast<std::uint8_t>(~kBusy);
}

bool KeyMap::busy(std::uint64_t block) const {
  return (keys_[block].load(std::memory_order_relaxed) & kBusy) != 0;
}

bool KeyMap::any_known(std::uint64_t first, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i)
    if (key(first + i) != kUnknownKey) return true;
  return false;
}

KeyMap::Taken KeyMap::try_acquire(std::uint64_t first, std::span<std::uint8_t> keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::atomic<std::uint8_t>& cell = keys_[first + i];
    std::uint8_t found = cell.load(std::memory_order_relaxed);
    const bool is_free = (found & kBusy) == 0 && found != kBadKey;
    if (is_free && cell.compare_exchange_strong(found, found | kBusy, std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
      keys[i] = found;
      continue;
    }
    for (std::size_t taken = 0; taken < i; ++taken)
      keys_[first + taken].store(keys[taken], std::memory_order_release);
    return found == kBadKey ? Taken::bad : Taken::busy;
  }
  return Taken::yes;
}

void KeyMap::begin_write(std::uint64_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    keys_[first + i].store(kBeingWritten, std::memory_order_relaxed);
}

void KeyMap::release(std::uint64_t first, std::span<const std::uint8_t> before,
                     std::span<const std::uint8_t> after) {
  std::int64_t known = 0;
  std::int64_t bad = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    known += static_cast<int>(is_known(after[i])) - static_cast<int>(is_known(before[i]));
    bad += after[i] == kBadKey ? 1 : 0;
    keys_[first + i].store(after[i], std::memory_order_release);
  }
  add(entry_->known, known);
  add(entry_->bad, bad);
}

void KeyMap::note_use(std::uint64_t block, LastUseTime use) {
  if (times_ == nullptr) return;
  const std::uint64_t word = static_cast<std::uint64_t>(use.use) << kUseShift | use.at_ms;
  times_[block].store(word, std::memory_order_relaxed);
}

LastUseTime KeyMap::last_use(std::uint64_t block) const {
  if (times_ == nullptr) return {};
  const std::uint64_t word = times_[block].load(std::memory_order_relaxed);
  return {static_cast<LastUse>(word >> kUseShift), word & ((std::uint64_t{1} << kUseShift) - 1)};
}

std::uint64_t KeyMap::settle_abandoned() {
  std::uint64_t unknown = 0;
  for (std::uint64_t block = 0; block < entry_->blocks; ++block) {
    const std::uint8_t found = keys_[block].load(std::memory_order_relaxed);
    if ((found & kBusy) == 0) continue;
    unknown += found == kBeingWritten ? 1 : 0;
    keys_[block].store(found == kBeingWritten ? kUnknownKey : key(block),
                       std::memory_order_relaxed);
  }
  recount();
  return unknown;
}

void KeyMap::fill(std::span<const std::uint8_t> keys) {
  for (std::uint64_t block = 0; block < entry_->blocks; ++block)
    keys_[block].store(keys[block], std::memory_order_relaxed);
  recount();
}

void KeyMap::recount() {
  std::uint64_t known = 0;
  std::uint64_t bad = 0;
  for (std::uint64_t block = 0; block < entry_->blocks; ++block) {
    const std::uint8_t found = keys_[block].load(std::memory_order_relaxed);
    known += is_known(found) ? 1 : 0;
    bad += found == kBadKey ? 1 : 0;
  }
  entry_->known.store(known);
  entry_->bad.store(bad);
}

KeyMaps::KeyMaps(KeyMaps&& other) noexcept { *this = std::move(other); }

KeyMaps& KeyMaps::operator=(KeyMaps&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(count_, other.count_);
  return *this;
}

KeyMaps::~KeyMaps() {
  if (base_ != nullptr) ::munmap(base_, bytes_);
}

Result<> KeyMaps::map_memory(Fd fd, std::size_t bytes, int flags) {
  void* const base =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd.get(), 0);
  if (base == MAP_FAILED)
    return fail_errno("key maps", errno, "validate fewer or smaller SDs", Origin::infra);
  fd_ = std::move(fd);
  base_ = base;
  bytes_ = bytes;
  return {};
}

Result<KeyMaps> KeyMaps::create(std::span<const KeyMapSpec> specs, std::uint64_t largest_transfer,
                                bool keep_times) {
  const Layout layout = layout_of(specs, keep_times);
  auto fd = create_shared_memory("keys", layout.end);
  if (!fd) return Failure(fd.error());
  KeyMaps maps;
  if (auto mapped = maps.map_memory(std::move(*fd), layout.end, 0); !mapped)
    return Failure(mapped.error());
  maps.count_ = specs.size();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    KeyMapEntry& entry = entry_at(maps.base_, i);
    entry.blocks = layout.blocks[i];
    entry.block_size = specs[i].block_size;
    entry.keys_at = layout.keys_at[i];
    entry.times_at = layout.times_at[i];
  }
  header_at(maps.base_) = {.magic = kKeyMapsMagic,
                           .largest_transfer = largest_transfer,
                           .owner = static_cast<std::uint32_t>(::getpid()),
                           .count = static_cast<std::uint32_t>(specs.size())};
  return maps;
}

Result<KeyMaps> KeyMaps::attach(int fd) {
  struct stat info {};
  Fd own(::dup(fd));
  if (own.get() < 0 || ::fstat(fd, &info) != 0)
    return fail_errno("key maps", errno, "", Origin::infra);
  const auto bytes = static_cast<std::size_t>(info.st_size);
  KeyMaps maps;
  if (bytes < entries_at()) return fail("key maps: too small", Origin::infra);
  if (auto mapped = maps.map_memory(std::move(own), bytes, MAP_POPULATE); !mapped)
    return Failure(mapped.error());
  const KeyMapsHeader& header = header_at(maps.base_);
  const bool is_ours =
      header.magic == kKeyMapsMagic && header.count <= (bytes - entries_at()) / sizeof(KeyMapEntry);
  for (std::size_t i = 0; is_ours && i < header.count; ++i)
    if (!lies_inside(entry_at(maps.base_, i), bytes))
      return fail("key maps: one is longer than the memory", Origin::infra);
  if (!is_ours) return fail("key maps: not some of ours", Origin::infra);
  maps.count_ = header.count;
  return maps;
}

KeyMap KeyMaps::map(std::size_t index) { return KeyMap(base_, entry_at(base_, index)); }

std::uint64_t KeyMaps::largest_transfer() const { return header_at(base_).largest_transfer; }

std::uint32_t KeyMaps::owner() const { return header_at(base_).owner; }

}  // namespace stallproof
