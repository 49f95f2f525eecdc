// SPDX-License-Identifier: Apache-2.0
// A run as it goes on, on one screen: what is shown, and how it is laid out. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/sink/load_rates.h"
#include "harness/sink/terminal_text.h"

namespace stallproof {

inline constexpr std::size_t kRatesKept = 60;  // one a second

struct LiveLoad {
  std::string name;
  LoadRate rate;             // of the last second
  std::deque<double> rates;  // operations a second, oldest first, at most kRatesKept
  std::uint32_t in_flight = 0;
  std::uint64_t oldest_ns = 0;
  std::uint64_t errors = 0;
  bool own = true;
};

struct LiveState {
  std::string title;  // what is run
  std::string phase;
  double elapsed_s = 0;
  std::optional<double> planned_s;
  Nanos stall_after = kSecond;
  std::vector<LiveLoad> loads;
  std::uint64_t stalls = 0;
  std::vector<std::string> standing;  // class of each stall that stands now
  std::uint64_t dropouts = 0;
  bool dropout_now = false;
  std::string blind;  // why stalls may go unseen; empty: they do not
};

// At most height - 1 lines. One line alone where there is no room for more.
std::vector<TerminalLine> live_lines(const LiveState& state, const TerminalLook& look);
TerminalLine live_line(const LiveState& state, const TerminalLook& look);

// "850", "12.3k", "4.56M"; "85us", "1.2ms", "3.4s", "2m05s".
std::string short_count(double value);
std::string short_span(double seconds);

}  // namespace stallproof
