// SPDX-License-Identifier: Apache-2.0
// One record of the kernel log in fixed memory, and a ring of them that keeps the newest. The ring
// allocates once, when made; its owner is the only thread that uses it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

struct KmsgRecord {
  std::uint64_t sequence = 0;
  Nanos stamp_ns = 0;  // the kernel's local clock: near CLOCK_MONOTONIC, never compared exactly
  std::uint32_t level = 0;  // 0 emergency … 7 debug
  bool kernel = false;      // facility 0; anything else was written by a process and proves nothing
  bool cut = false;         // the text was longer than this record
  std::uint8_t caller_length = 0;
  std::uint16_t length = 0;
  std::array<char, 14> caller_bytes{};
  std::array<char, 1024> bytes{};  // the kernel's own limit, printk LOG_LINE_MAX

  [[nodiscard]] std::string_view text() const { return {bytes.data(), length}; }
  // "T38" or "C0", empty where the kernel does not tell: lines of one report share it.
  [[nodiscard]] std::string_view caller() const { return {caller_bytes.data(), caller_length}; }
};

// What read(2) on /dev/kmsg gives: "prio,seq,usec,flag[,caller=T38];text\n KEY=value\n"
// (Documentation/ABI/testing/dev-kmsg). False when it is something else. No allocation.
bool parse_kmsg(std::string_view raw, KmsgRecord& record);

class KmsgRing {
 public:
  explicit KmsgRing(std::size_t capacity) : records_(capacity == 0 ? 1 : capacity) {}
  // The slot for the next record; the oldest one is given up when the ring is full.
  KmsgRecord& push() {
    if (size_ == records_.size())
      ++overwritten_;
    else
      ++size_;
    KmsgRecord& slot = records_[next_];
    next_ = (next_ + 1) % records_.size();
    return slot;
  }
  // 0 is the oldest.
  [[nodiscard]] const KmsgRecord& operator[](std::size_t index) const {
    return records_[(next_ + records_.size() - size_ + index) % records_.size()];
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t overwritten() const { return overwritten_; }
  void clear() { size_ = 0; }

 private:
  std::vector<KmsgRecord> records_;
  std::size_t next_ = 0;
  std::size_t size_ = 0;
  std::uint64_t overwritten_ = 0;
};

}  // namespace stallproof
