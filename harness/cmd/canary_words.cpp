// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/canary_words.h"

#include <fmt/format.h>

namespace stallproof {

Result<CanaryWish> read_canary_wish(const std::string& word) {
  if (word.empty()) return CanaryWish::as_planned;
  for (const CanaryWish wish : {CanaryWish::yes, CanaryWish::attempt, CanaryWish::no})
    if (word == word_of(wish)) return wish;
  return fail(fmt::format("--canary: '{}' is none of yes, try, no", word));
}

}  // namespace stallproof
