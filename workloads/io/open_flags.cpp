// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/open_flags.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>

#include <charconv>

namespace stallproof {
namespace {

bool is(const std::string& word, const char* name) { return ::strcasecmp(word.c_str(), name) == 0; }

bool take_hexadecimal(const std::string& word, int& flags) {
  if (!word.starts_with("0x")) return false;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), value, 16);
  if (error != std::errc() || end != word.data() + word.size()) return false;
  flags |= static_cast<int>(value);
  return true;
}

}  // namespace

Result<OpenFlags> open_flags_of_words(const std::vector<std::string>& words) {
  OpenFlags found;
  for (const std::string& word : words) {
    if (is(word, "o_direct") || is(word, "directio")) {
      found.flags |= O_DIRECT;
    } else if (is(word, "o_sync") || is(word, "o_dsync") || is(word, "o_rsync")) {
      found.flags |= O_DSYNC;
    } else if (is(word, "fsync")) {
      found.sync_at_end = true;
    } else if (!is(word, "none") && !take_hexadecimal(word, found.flags)) {
      return fail(
          fmt::format("openflags={}: not one of o_direct, directio, o_sync, o_dsync, "
                      "o_rsync, fsync, 0x…",
                      word));
    }
  }
  return found;
}

}  // namespace stallproof
