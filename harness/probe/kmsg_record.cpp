// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kmsg_record.h"

#include <algorithm>
#include <charconv>

namespace stallproof {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class Number>
bool take_number(std::string_view& prefix, Number& number) {
  const char* end = prefix.data() + prefix.size();
  const auto parsed = std::from_chars(prefix.data(), end, number);
  if (parsed.ec != std::errc{}) return false;
  prefix.remove_prefix(static_cast<std::size_t>(parsed.ptr - prefix.data()));
  if (!prefix.empty() && prefix.front() == ',') prefix.remove_prefix(1);
  return true;
}

// Everything that is not printable, and the backslash, comes as \xNN.
void take_text(std::string_view escaped, KmsgRecord& record) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    char c = escaped[i];
    if (c == '\\' && i + 3 < escaped.size() && escaped[i + 1] == 'x') {
      const int high = hex_digit(escaped[i + 2]);
      const int low = hex_digit(escaped[i + 3]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        i += 3;
      }
    }
    if (length == record.bytes.size()) {
      record.cut = true;
      break;
    }
    record.bytes[length++] = c;
  }
  record.length = static_cast<std::uint16_t>(length);
}

void take_caller(std::string_view prefix, KmsgRecord& record) {
  constexpr std::string_view kKey = "caller=";
  const std::size_t at = prefix.find(kKey);
  if (at == std::string_view::npos) return;
  std::string_view value = prefix.substr(at + kKey.size());
  value = value.substr(0, value.find(','));
  const std::size_t length = std::min(value.size(), record.caller_bytes.size());
  std::copy_n(value.begin(), length, record.caller_bytes.begin());
  record.caller_length = static_cast<std::uint8_t>(length);
}

}  // namespace

bool parse_kmsg(std::string_view raw, KmsgRecord& record) {
  const std::size_t semicolon = raw.find(';');
  if (semicolon == std::string_view::npos) return false;
  std::string_view prefix = raw.substr(0, semicolon);
  std::uint32_t priority = 0;
  std::uint64_t microseconds = 0;
  if (!take_number(prefix, priority) || !take_number(prefix, record.sequence) ||
      !take_number(prefix, microseconds))
    return false;
  record.level = priority & 7U;
  record.kernel = (priority >> 3U) == 0;
  record.stamp_ns = microseconds * 1000;
  record.cut = false;
  record.caller_length = 0;
  take_caller(prefix, record);
  const std::string_view rest = raw.substr(semicolon + 1);
  take_text(rest.substr(0, rest.find('\n')), record);
  return true;
}

}  // namespace stallproof
