// SPDX-License-Identifier: Apache-2.0
// What people type: durations (500ms, 30s, 10m, 8h; a bare number is seconds) and sizes (64KiB,
// 1g).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

Result<Nanos> parse_duration(std::string_view text);
Result<std::uint64_t> parse_size(std::string_view text);
Result<std::uint64_t> parse_count(std::string_view text);

// 1.234 s, 12 ms, 3 us: for people; never parsed back.
std::string format_duration(Nanos span);
// 90s, 1500ms: as parse_duration() takes it, nothing rounded.
std::string duration_word(Nanos span);
// Milliseconds as a run directory has them, to the nearest nanosecond; below 0 it is 0.
Nanos nanos_from_ms(double ms);
// RFC 3339 with offset and milliseconds, local zone. Reads the zone file: call off the watchdog's
// loop.
std::string format_rfc3339(Nanos realtime);

}  // namespace stallproof
