// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/stall_ledger.h"

#include <algorithm>
#include <string_view>

namespace stallproof {
namespace {

constexpr std::array<std::string_view, 4> kSources{"no-progress", "stuck-op", "blocked-tasks",
                                                   "lock-cycle"};
constexpr std::array<std::string_view, 3> kCaptures{"sources", "sysrq", "panic"};

template <std::size_t kCount>
std::string known_or_other(const std::array<std::string_view, kCount>& known,
                           const std::string& word) {
  return std::find(known.begin(), known.end(), word) != known.end() ? word : "other";
}

std::string source_of(const StallNews& news) {
  return known_or_other(kSources, news.sources.empty() ? "" : news.sources.front());
}

}  // namespace

void StallLedger::set_class(Standing& standing, const StallNews& news) {
  standing.stall_class = classes_.of(label_value(news.stall_class));
  seen_classes_.try_emplace(standing.stall_class, 0);
}

void StallLedger::settle(Standing& standing) {
  if (standing.settled) return;
  standing.settled = true;
  ++settled_[{standing.stall_class, standing.source}];
}

void StallLedger::opened(const StallNews& news) {
  Standing& standing = standing_[news.id];
  standing.onset_ms = news.onset_ms;
  standing.detected_ms = news.detected_ms;
  standing.allowed_ms = news.allowed_ms;
  standing.source = source_of(news);
  set_class(standing, news);
  ++sources_[standing.source];
}

void StallLedger::explained(const StallNews& news) {
  const auto found = standing_.find(news.id);
  if (found == standing_.end() || found->second.in_circle) return;
  set_class(found->second, news);
  if (!news.in_circle) return;
  found->second.in_circle = true;
  ++circles_;
  settle(found->second);
}

void StallLedger::resolved(const StallNews& news) {
  const auto found = standing_.find(news.id);
  if (found == standing_.end()) return;
  settle(found->second);
  const double lasted_s =
      std::max(0.0, news.resolved_ms.value_or(news.detected_ms) - news.onset_ms) / 1e3;
  const auto edge = std::lower_bound(kStallEdges.begin(), kStallEdges.end(), lasted_s);
  ++durations_[static_cast<std::size_t>(edge - kStallEdges.begin())];
  durations_sum_s_ += lasted_s;
  standing_.erase(found);
}

void StallLedger::settle_found_before(double ms) {
  for (auto& [id, standing] : standing_)
    if (standing.detected_ms < ms) settle(standing);
}

void StallLedger::dropout(const DropoutNews& news, const std::string& workload) {
  DropoutLine& line = dropouts_[workload];
  if (!news.end_ms) {
    ++(news.ratio > 0 ? line.slow : line.stopped);
    if (news.allowed) ++line.allowed;
    line.active_since_ms = std::min(news.start_ms, line.active_since_ms.value_or(news.start_ms));
    return;
  }
  const double lasted_s = std::max(0.0, *news.end_ms - news.start_ms) / 1e3;
  line.ended_s += lasted_s;
  line.longest_s = std::max(line.longest_s, lasted_s);
  line.active_since_ms.reset();
}

void StallLedger::captured(const CaptureNews& news) {
  ++captures_[{known_or_other(kCaptures, news.kind), news.taken}];
}

std::map<std::string, std::uint64_t> StallLedger::active() const {
  auto found = seen_classes_;
  for (const auto& [id, standing] : standing_) ++found[standing.stall_class];
  return found;
}

std::map<std::string, std::uint64_t> StallLedger::allowed(double now_ms) const {
  auto found = seen_classes_;
  for (const auto& [id, standing] : standing_)
    if (standing.allowed_at(now_ms)) ++found[standing.stall_class];
  return found;
}

double StallLedger::longest_allowed_ms(double now_ms) const {
  double longest = 0;
  for (const auto& [id, standing] : standing_)
    if (standing.allowed_at(now_ms)) longest = std::max(longest, *standing.allowed_ms);
  return longest;
}

std::optional<double> StallLedger::oldest_onset_ms() const {
  std::optional<double> oldest;
  for (const auto& [id, standing] : standing_)
    oldest = std::min(oldest.value_or(standing.onset_ms), standing.onset_ms);
  return oldest;
}

}  // namespace stallproof
