// SPDX-License-Identifier: Apache-2.0
// The smallest set of numbers with which something still happens: each number is brought down as
// far as it goes while the others stay, again and again until none gets smaller. Pure but for what
// `happens` does; ends at the deadline with the best so far.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "harness/base/clock.h"

namespace stallproof {

using Numbers = std::map<std::string, std::uint64_t>;

struct Smallest {
  Numbers begin;    // what the search began with
  Numbers numbers;  // happens with these, and was seen to
  unsigned trials = 0;
  bool complete = false;  // no number gets smaller by halving or by one; else time ran out
};

// `begin`: seen to happen already. No number goes below 1, but those that `may_be_none`: to 0.
// `happens` is asked once for each set of numbers; a stall that comes by chance may be missed once,
// so what fails is asked `tries` times.
Smallest find_smallest(const Numbers& begin, const std::function<bool(const Numbers&)>& happens,
                       const std::function<bool()>& time_is_up, unsigned tries,
                       const std::set<std::string>& may_be_none = {});

}  // namespace stallproof
