// SPDX-License-Identifier: Apache-2.0
// Stamps that files of ours hold, compared as instants whatever their offset. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

struct Instant {
  std::int64_t unix_ms = 0;
  int offset_min = 0;  // of the zone it was written in
};

// RFC 3339 with or without a fraction of a second; nullopt for anything else.
std::optional<Instant> parse_rfc3339(std::string_view text);

// "3 June 2026", in the zone that the instant was written in.
std::string date_words(const Instant& at);
// "2026-06-03 20:01:05 +02:00".
std::string time_words(const Instant& at);

}  // namespace stallproof
