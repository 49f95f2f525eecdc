// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/meeting.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stallproof {
namespace {

// From the naming of the second to the second: for the slowest to learn of it twice over.
constexpr Nanos kLeastLead = 2 * kSecond;

double in_seconds(std::int64_t span) { return static_cast<double>(span) / 1e9; }

}  // namespace

void MeetingHost::hear(const std::vector<NodeCard>& cards, Nanos now) {
  for (const NodeCard& card : cards) {
    // Of an earlier meeting, or of one who has not read our card yet.
    if (!card.heard || card.heard->run != self_.run) continue;
    if (card.count != self_.count || card.rank == 0 || card.rank >= self_.count) {
      stranger_ = fmt::format("{} says that it is node {} of {}, {} that there are {}", card.node,
                              card.rank, card.count, self_.node, self_.count);
      continue;
    }
    const auto known = guests_.find(card.rank);
    if (known != guests_.end() && known->second.run != card.run) {
      if (known->second.node != card.node)
        stranger_ = fmt::format("{} and {} both say that they are node {}", known->second.node,
                                card.node, card.rank);
      clocks_.erase(card.rank);
    }
    guests_[card.rank] = card;
    ClockBounds& clock = clocks_[card.rank];
    clock.other_before(card.stamp, now);
    clock.other_after(card.stamp, card.heard->stamp);
  }
}

std::vector<unsigned> MeetingHost::missing() const {
  std::vector<unsigned> found;
  for (unsigned rank = 1; rank < self_.count; ++rank)
    if (!guests_.contains(rank)) found.push_back(rank);
  return found;
}

StartCard MeetingHost::card(Nanos now) {
  StartCard card{.node = self_.node,
                 .run = self_.run,
                 .stamp = now,
                 .start_s = start_s_,
                 .refused = start_s_ == 0 ? objection() : "",
                 .heard = {}};
  for (const auto& [rank, guest] : guests_) card.heard[rank] = {guest.run, guest.stamp};
  const bool known = std::all_of(clocks_.begin(), clocks_.end(),
                                 [](const auto& each) { return each.second.known(); });
  if (card.start_s == 0 && card.refused.empty() && missing().empty() && known)
    card.start_s = start_s_ = (now + lead() + kSecond - 1) / kSecond;
  return card;
}

std::string MeetingHost::objection() const {
  if (!stranger_.empty()) return stranger_;
  std::map<std::string, unsigned> names{{self_.node, 0}};
  for (const auto& [rank, guest] : guests_) {
    if (guest.tool_version != self_.tool_version)
      return fmt::format("{} runs stallproof {}, {} runs {}: install the same", guest.node,
                         guest.tool_version, self_.node, self_.tool_version);
    if (guest.plan_id != self_.plan_id)
      return fmt::format("{} has another plan than {} (compare their plan.toml)", guest.node,
                         self_.node);
    if (const auto [other, fresh] = names.emplace(guest.node, rank); !fresh)
      return fmt::format("nodes {} and {} are both called {} (STALLPROOF_NODE gives another name)",
                         other->second, rank, guest.node);
  }
  return clocks_apart();
}

// Any two nodes: what the one is ahead of ours at least, and the other at most.
std::string MeetingHost::clocks_apart() const {
  std::pair<std::int64_t, std::string> fastest{0, self_.node}, slowest{0, self_.node};
  for (const auto& [rank, clock] : clocks_) {
    const std::string& node = guests_.at(rank).node;
    if (clock.least()) fastest = std::max(fastest, {*clock.least(), node});
    if (clock.most()) slowest = std::min(slowest, {*clock.most(), node});
  }
  const std::int64_t apart = fastest.first - slowest.first;
  if (apart <= static_cast<std::int64_t>(kClocksApart)) return {};
  return fmt::format(
      "the clock of {} is at least {:.1f} s ahead of that of {}, at most {:.0f} s are allowed "
      "(chronyc tracking, timedatectl)",
      fastest.second, in_seconds(apart), slowest.second, in_seconds(kClocksApart));
}

Nanos MeetingHost::lead() const {
  std::int64_t slowest = 0;
  for (const auto& [rank, clock] : clocks_) slowest = std::max(slowest, 2 * clock.error());
  return std::min(kLeastLead + 2 * static_cast<Nanos>(slowest), kMostLead);
}

NodeCard MeetingGuest::card(Nanos now) {
  return {.rank = self_.rank,
          .count = self_.count,
          .node = self_.node,
          .run = self_.run,
          .plan_id = self_.plan_id,
          .tool_version = self_.tool_version,
          .stamp = now,
          .heard = heard_};
}

void MeetingGuest::hear(const StartCard& card, Nanos now) {
  // Rank 0 has begun anew.
  if (heard_ && heard_->run != card.run) {
    clock_ = {};
    answer_.reset();
  }
  heard_ = Heard{card.run, card.stamp};
  const auto us = card.heard.find(self_.rank);
  if (us == card.heard.end() || us->second.run != self_.run) return;
  // What was measured long ago, while others were waited for, may have drifted.
  if (card.start_s != 0 && answer_ && answer_->start_s == 0) clock_ = {};
  clock_.other_before(card.stamp, now);
  clock_.other_after(card.stamp, us->second.stamp);
  answer_ = card;
}

}  // namespace stallproof
