// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/label_value.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::size_t kLongest = 64;

// Bytes of the character that begins here; 0 where it is no valid UTF-8 (RFC 3629).
std::size_t character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  const unsigned second = length > 1 ? byte(1) : 0;
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string value;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (value.size() + std::max<std::size_t>(length, 1) > kLongest) break;
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0 || first < ' ' || first == 0x7f)
      value += '?';
    else
      value += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return value.empty() ? "unnamed" : value;
}

std::string command_label(std::string_view load_name) {
  const std::size_t dash = load_name.rfind('-');
  const bool numbered =
      dash != std::string_view::npos && dash + 1 < load_name.size() &&
      load_name.find_first_not_of("0123456789", dash + 1) == std::string_view::npos;
  return label_value(numbered ? load_name.substr(0, dash) : load_name);
}

std::string BoundedValues::of(const std::string& value) {
  if (known_.contains(value)) return value;
  if (known_.size() >= limit_) return "other";
  known_.insert(value);
  return value;
}

}  // namespace stallproof
