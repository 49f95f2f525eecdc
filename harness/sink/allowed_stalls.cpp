// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/allowed_stalls.h"

#include <utility>

namespace stallproof {
namespace {

bool outlasts(const StallNews& news, double at_ms) {
  return at_ms > news.onset_ms + news.allowed_ms.value_or(0);
}

}  // namespace

bool AllowedStalls::keep(const StallNews& news) {
  if (!news.allowed_ms || outlasts(news, news.detected_ms)) return false;
  kept_[news.id] = news;
  return true;
}

bool AllowedStalls::update(const StallNews& news) {
  const auto found = kept_.find(news.id);
  if (found == kept_.end()) return false;
  const auto allowed = found->second.allowed_ms;
  found->second = news;
  if (!found->second.allowed_ms) found->second.allowed_ms = allowed;
  return true;
}

AllowedStalls::End AllowedStalls::end(const StallNews& news) {
  const auto found = kept_.find(news.id);
  if (found == kept_.end()) return End::unknown;
  const bool late = news.resolved_ms && outlasts(found->second, *news.resolved_ms);
  kept_.erase(found);
  return late ? End::outlasted : End::within;
}

std::vector<StallNews> AllowedStalls::outlasted(double now_ms) {
  std::vector<StallNews> found;
  for (auto each = kept_.begin(); each != kept_.end();) {
    if (!outlasts(each->second, now_ms)) {
      ++each;
      continue;
    }
    found.push_back(std::move(each->second));
    each = kept_.erase(each);
  }
  return found;
}

}  // namespace stallproof
