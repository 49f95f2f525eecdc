// SPDX-License-Identifier: Apache-2.0
// A short name of a text, the same on every machine and in every version: to tell whether two are
// the same, not to keep anybody from making them so. Pure.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stallproof {

// FNV-1a of 64 bits, as 16 hexadecimal digits.
inline std::string text_digest(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char letter : text) {
    hash ^= static_cast<unsigned char>(letter);
    hash *= 1099511628211ULL;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace stallproof
