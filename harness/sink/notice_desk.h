// SPDX-License-Identifier: Apache-2.0
// Which notices are to be delivered, and when: a stall waits a little for its explanation, the same
// signature is told once in 10 minutes, a verdict always. Pure; time is given.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "harness/base/clock.h"
#include "harness/sink/notice.h"

namespace stallproof {

class NoticeDesk {
 public:
  static constexpr Nanos kExplainWithin = 5 * kSecond;  // a stall without any explanation
  static constexpr Nanos kBetterWithin = kSecond;       // one that may yet be explained better
  static constexpr Nanos kOnceIn = 600 * kSecond;       // the same signature
  static constexpr std::size_t kMost = 32;              // not yet delivered

  void take(const NoticeMessage& message, Nanos now);
  // The next to deliver.
  std::optional<std::string> next(Nanos now);
  // When a stall has waited long enough; nothing when none waits.
  [[nodiscard]] std::optional<Nanos> next_due() const;
  // Nothing waits and nothing is to be delivered.
  [[nodiscard]] bool empty() const { return queue_.empty() && !next_due(); }
  [[nodiscard]] std::uint64_t limited() const { return limited_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Stall {
    std::string key, text;
    Nanos due_ns = 0;
    bool waiting = true, told = false;
  };
  void release(Stall& stall, Nanos now);
  void release_all(Nanos now);
  bool may_tell(const std::string& key, Nanos now);
  void put(const std::string& text);

  std::map<std::string, Stall> stalls_;   // those that stand, by incident
  std::map<std::string, Nanos> told_at_;  // by key
  std::deque<std::string> queue_;
  std::uint64_t limited_ = 0, dropped_ = 0;
};

}  // namespace stallproof
