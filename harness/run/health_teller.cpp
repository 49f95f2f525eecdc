// SPDX-License-Identifier: Apache-2.0
#include "harness/run/health_teller.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr Nanos kEvery = kSecond;
constexpr const char* kWord = "unkillable";  // as all say who name one in left_behind

}  // namespace

std::uint64_t unkillable_among(const std::vector<std::string>& left_behind) {
  return static_cast<std::uint64_t>(std::count_if(
      left_behind.begin(), left_behind.end(),
      [](const std::string& thing) { return thing.find(kWord) != std::string::npos; }));
}

void HealthTeller::serve(Nanos now, const RunFeed* feed, const LiveLens& lens,
                         const std::vector<std::string>& left_behind) {
  if (feed == nullptr || now < next_ns_) return;
  next_ns_ = now + kEvery;
  tell(feed, lens, left_behind);
}

void HealthTeller::tell(const RunFeed* feed, const LiveLens& lens,
                        const std::vector<std::string>& left_behind) {
  if (feed == nullptr) return;
  HealthNews news{.probe_timeouts = lens.probe_timeouts_by_file(),
                  .left_behind = left_behind.size(),
                  .unkillable = unkillable_among(left_behind) + lens.stuck_probes()};
  if (news == told_) return;
  feed->tell(&RunListener::on_health, news);
  told_ = std::move(news);
}

}  // namespace stallproof
