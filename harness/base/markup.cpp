// SPDX-License-Identifier: Apache-2.0
#include "harness/base/markup.h"

#include <algorithm>
#include <cstdint>

namespace stallproof {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Length of the UTF-8 sequence at `at` that XML also allows, 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : lead == '\n' || lead == '\t' ? 1 : 0;
  const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  std::uint32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
    code = (code << 6U) | (byte(at + i) & 0x3fU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  // Signs that turn the direction of writing would let a name rewrite the line it stands in.
  const bool turning = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  const bool no_character = (code & 0xfffeU) == 0xfffe || code < 0xa0;
  return code < kLeast[length] || code > 0x10ffff || surrogate || turning || no_character ? 0
                                                                                          : length;
}

template <class Write>
void each_character(std::string_view text, Write write) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    write(length == 0 ? kReplacement : text.substr(at, length));
    at += std::max<std::size_t>(length, 1);
  }
}

std::string_view reference(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// In one run.
std::size_t most_backticks(std::string_view text) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_character(text, [&out](std::string_view character) { out += character; });
  return out;
}

std::string escaped_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  each_character(text, [&out](std::string_view character) {
    const std::string_view name = reference(character.front());
    out += name.empty() ? character : name;
  });
  return out;
}

std::string escaped_markdown(std::string_view text) {
  constexpr std::string_view kOwn = "\\`*[]#|~$@";
  const std::string valid = valid_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const char c = valid[i];
    // Inside a word it is no emphasis, and most names of the kernel have one.
    const bool inside =
        i > 0 && i + 1 < valid.size() && in_word(valid[i - 1]) && in_word(valid[i + 1]);
    if (c == '\n' || c == '\t')
      out += ' ';
    else if (c == '&' || c == '<' || c == '>')
      out += reference(c);
    else if (kOwn.find(c) != std::string_view::npos || (c == '_' && !inside))
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  std::string safe;
  const std::string valid = valid_utf8(text);
  for (const char c : valid) {
    // A bar would end a table's cell even in a code span.
    if (c == '|')
      safe += "¦";
    else
      safe += c == '\n' ? ' ' : c;
  }
  const std::size_t longest = most_backticks(valid);
  const std::string fence(longest + 1, '`');
  return longest == 0 && !safe.empty() ? fence + safe + fence : fence + " " + safe + " " + fence;
}

std::string markdown_block(std::string_view text) {
  std::string valid = valid_utf8(text);
  if (!valid.ends_with('\n')) valid += '\n';
  const std::string fence(std::max<std::size_t>(3, most_backticks(valid) + 1), '`');
  return fence + "\n" + valid + fence + "\n";
}

std::string shortened(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t count = 0;
  std::size_t cut = 0;  // where the last character would have to give way
  each_character(text, [&](std::string_view character) {
    if (count++ < limit) {
      cut = out.size();
      out += character;
    }
  });
  return count <= limit ? out : out.substr(0, cut) + "…";
}

std::string shell_word(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

}  // namespace stallproof
