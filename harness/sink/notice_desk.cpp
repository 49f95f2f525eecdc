// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice_desk.h"

#include <algorithm>

namespace stallproof {

void NoticeDesk::take(const NoticeMessage& message, Nanos now) {
  const auto known = stalls_.find(message.id);
  switch (message.kind) {
    case NoticeKind::begin:
      return;
    case NoticeKind::stall: {
      Stall& stall = stalls_[message.id];
      stall = {.key = message.key, .text = message.text, .due_ns = now + kExplainWithin};
      if (message.conclusive) release(stall, now);
      return;
    }
    case NoticeKind::explained:
      if (known == stalls_.end() || !known->second.waiting) return;
      known->second.key = message.key;
      known->second.text = message.text;
      known->second.due_ns = std::min(known->second.due_ns, now + kBetterWithin);
      if (message.conclusive) release(known->second, now);
      return;
    case NoticeKind::resolved:
      if (known == stalls_.end()) return;
      if (known->second.waiting) release(known->second, now);
      if (known->second.told) put(message.text);
      stalls_.erase(known);
      return;
    case NoticeKind::blind:
      if (may_tell(message.key, now)) put(message.text);
      return;
    case NoticeKind::verdict:
      // The others have had their time.
      dropped_ += queue_.size();
      queue_.assign(1, message.text);
      stalls_.clear();
      return;
    case NoticeKind::flush:
      return release_all(now);
  }
}

std::optional<std::string> NoticeDesk::next(Nanos now) {
  for (auto& [id, stall] : stalls_)
    if (stall.waiting && now >= stall.due_ns) release(stall, now);
  if (queue_.empty()) return std::nullopt;
  std::string text = std::move(queue_.front());
  queue_.pop_front();
  return text;
}

std::optional<Nanos> NoticeDesk::next_due() const {
  std::optional<Nanos> due;
  for (const auto& [id, stall] : stalls_)
    if (stall.waiting && (!due || stall.due_ns < *due)) due = stall.due_ns;
  return due;
}

void NoticeDesk::release(Stall& stall, Nanos now) {
  stall.waiting = false;
  stall.told = may_tell(stall.key, now);
  if (stall.told) put(stall.text);
}

void NoticeDesk::release_all(Nanos now) {
  for (auto& [id, stall] : stalls_)
    if (stall.waiting) release(stall, now);
}

bool NoticeDesk::may_tell(const std::string& key, Nanos now) {
  const auto found = told_at_.find(key);
  if (found != told_at_.end() && now < found->second + kOnceIn) {
    ++limited_;
    return false;
  }
  told_at_[key] = now;
  return true;
}

void NoticeDesk::put(const std::string& text) {
  if (queue_.size() == kMost) {
    queue_.pop_front();
    ++dropped_;
  }
  queue_.push_back(text);
}

}  // namespace stallproof
