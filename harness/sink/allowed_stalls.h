// SPDX-License-Identifier: Apache-2.0
// Stalls that a mark allows: nobody is told of one before it outlasts what is allowed. Pure; times
// are those of the news.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/sink/run_news.h"

namespace stallproof {

class AllowedStalls {
 public:
  // A stall has begun. True: it is allowed, and kept here.
  bool keep(const StallNews& news);
  // More is known of it. True: it is kept here.
  bool update(const StallNews& news);
  // Its end. `within`: it was allowed all the time, nobody needs to know; `outlasted`: it was not,
  // and nobody has been told yet.
  enum class End { unknown, within, outlasted };
  End end(const StallNews& news);
  // Those that have just outlasted what is allowed; no longer kept here.
  std::vector<StallNews> outlasted(double now_ms);

 private:
  std::map<std::string, StallNews> kept_;  // by id
};

}  // namespace stallproof
