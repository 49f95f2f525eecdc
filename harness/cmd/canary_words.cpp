// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/canary_words.h"

#include <fmt/format.h>

namespace stallproof {

Result<CanaryWish> read_canary_wish(const std::string& word) {
  if (word.empty()) return CanaryWish::as_planned;
  if (word == "yes") return CanaryWish::yes;
  if (word == "no") return CanaryWish::no;
  return fail(fmt::format("--canary: '{}' is neither yes nor no", word));
}

}  // namespace stallproof
