// SPDX-License-Identifier: Apache-2.0
// Follows the kernel log from now on. The watchdog opens it before load starts and drains it in its
// loop: no allocation, no waiting. What was overwritten before it could be read is counted, because
// a verdict over a log with holes is not "nothing happened".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "harness/base/result.h"
#include "harness/probe/kmsg_record.h"

namespace stallproof {

// One read(2): a whole record in `into`, its length; or -errno. Tests put their own in its place.
class KmsgSource {
 public:
  virtual ~KmsgSource() = default;
  virtual long read(std::span<char> into) noexcept = 0;
};

class KmsgReader {
 public:
  // /dev/kmsg, positioned at its end. EPERM means CAP_SYSLOG is missing.
  static Result<KmsgReader> open(const std::string& path = "/dev/kmsg");
  explicit KmsgReader(std::unique_ptr<KmsgSource> source) : source_(std::move(source)) {}

  // Appends what has come since the last call, at most `limit` records; returns how many.
  std::size_t drain(KmsgRing& ring, std::size_t limit = 4096) noexcept;

  // Records that were overwritten before we read them (EPIPE and gaps in the sequence).
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // Records that came but could not be understood, and reads that failed.
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  void account(std::uint64_t sequence);

  std::unique_ptr<KmsgSource> source_;
  std::uint64_t next_sequence_ = 0;  // 0: none seen yet
  bool overrun_ = false;
  std::uint64_t lost_ = 0;
  std::uint64_t unreadable_ = 0;
  std::array<char, 8192> buffer_{};  // the kernel never makes a longer record
  KmsgRecord record_;
};

}  // namespace stallproof
