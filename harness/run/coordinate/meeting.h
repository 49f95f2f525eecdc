// SPDX-License-Identifier: Apache-2.0
// How nodes agree on the second in which they start, and how far their clocks are apart: what each
// side makes of the other's cards. Reads no clock and no file; times are CLOCK_REALTIME.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/coordinate/clock_bounds.h"
#include "harness/run/coordinate/meeting_cards.h"

namespace stallproof {

// Further apart, and moments of two nodes say nothing of each other.
inline constexpr Nanos kClocksApart = kSecond;
// The start that is named is so far ahead at most.
inline constexpr Nanos kMostLead = 60 * kSecond;

struct NodeIdentity {
  unsigned rank = 0, count = 1;
  std::string node, run, plan_id, tool_version;
};

// Rank 0.
class MeetingHost {
 public:
  explicit MeetingHost(NodeIdentity self) : self_(std::move(self)) {}
  // The cards of the others, all read before `now`.
  void hear(const std::vector<NodeCard>& cards, Nanos now);
  // To be written now: with a start once all are there and alike, or why there will be none.
  StartCard card(Nanos now);
  // Those who have not answered yet.
  [[nodiscard]] std::vector<unsigned> missing() const;
  [[nodiscard]] const std::map<unsigned, NodeCard>& guests() const { return guests_; }

 private:
  [[nodiscard]] std::string objection() const;
  [[nodiscard]] std::string clocks_apart() const;
  [[nodiscard]] Nanos lead() const;

  NodeIdentity self_;
  std::map<unsigned, NodeCard> guests_;     // by rank; only those of this meeting
  std::map<unsigned, ClockBounds> clocks_;  // theirs - ours
  std::string stranger_;                    // who cannot take part, and why; empty: nobody
  std::uint64_t start_s_ = 0;
};

// Every other rank.
class MeetingGuest {
 public:
  explicit MeetingGuest(NodeIdentity self) : self_(std::move(self)) {}
  NodeCard card(Nanos now);
  // `card` was read before `now`. One of an earlier meeting changes nothing.
  void hear(const StartCard& card, Nanos now);

  // Of (rank 0's clock - ours).
  [[nodiscard]] const ClockBounds& clock() const { return clock_; }
  [[nodiscard]] const std::optional<StartCard>& answer() const { return answer_; }

 private:
  NodeIdentity self_;
  ClockBounds clock_;
  std::optional<Heard> heard_;
  std::optional<StartCard> answer_;  // the last one that knows us
};

}  // namespace stallproof
