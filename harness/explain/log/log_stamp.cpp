// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/log_stamp.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::size_t kLongestBracket = 64;
constexpr int kWordsBeforeKernel = 4;

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take_digits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  while (count < text.size() && count < most && is_digit(text[count])) ++count;
  if (count < least || (count < text.size() && is_digit(text[count]))) return false;
  text.remove_prefix(count);
  return true;
}

bool take_any_of(std::string_view& text, std::string_view letters) {
  if (text.empty() || letters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

template <std::size_t N>
bool take_name(std::string_view& text, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(), [&text](std::string_view name) {
    return text.starts_with(name) && text.size() > 3 &&
           std::isalpha(static_cast<unsigned char>(text[3])) == 0 && take_start(text, name);
  });
}

// "15:21:34", "15:21:34.123456"
bool take_clock(std::string_view& text) {
  std::string_view rest = text;
  if (!take_digits(rest, 1, 2) || !take_start(rest, ":") || !take_digits(rest, 2, 2) ||
      !take_start(rest, ":") || !take_digits(rest, 2, 2))
    return false;
  if (take_any_of(rest, ".,")) take_digits(rest, 1, 9);
  if (!rest.empty() && rest.front() == ':') return false;  // "2:0:0:0: …" is a SCSI address
  text = rest;
  return true;
}

// "2025-06-27T15:21:34+00:00"
bool take_iso(std::string_view& line) {
  std::string_view rest = line;
  if (!take_digits(rest, 4, 4) || !take_any_of(rest, "-/") || !take_digits(rest, 2, 2) ||
      !take_any_of(rest, "-/") || !take_digits(rest, 2, 2) || !take_any_of(rest, "T ") ||
      !take_clock(rest))
    return false;
  if (!take_start(rest, "Z") && take_any_of(rest, "+-")) {
    take_digits(rest, 2, 4);
    if (take_start(rest, ":")) take_digits(rest, 2, 2);
  }
  line = rest;
  return true;
}

// "Jun 27 15:21:34", "Jun 27 2025 15:21:34", "Fri Jun 27 15:21:34 CEST 2025"
bool take_words(std::string_view& line) {
  std::string_view rest = line;
  if (take_name(rest, kDays)) skip_blanks(rest);
  if (!take_name(rest, kMonths)) return false;
  skip_blanks(rest);
  if (!take_digits(rest, 1, 2)) return false;
  skip_blanks(rest);
  if (std::string_view year = rest; take_digits(year, 4, 4)) {
    rest = year;
    skip_blanks(rest);
  }
  if (!take_clock(rest)) return false;
  std::string_view year = rest;
  skip_blanks(year);
  std::string_view zone = year;
  while (!zone.empty() && std::isupper(static_cast<unsigned char>(zone.front())) != 0)
    zone.remove_prefix(1);
  skip_blanks(zone);
  if (take_digits(year, 4, 4))
    rest = year;
  else if (take_digits(zone, 4, 4))
    rest = zone;
  line = rest;
  return true;
}

bool is_stamp(std::string_view inner) {
  if (inner.empty()) return false;
  if (is_digit(inner[0])) return true;
  // dmesg -d, dmesg -H: "[<    0.000012>]", "[  +0.000012]", "[Jun27 15:21]"
  if (inner.size() > 1 && (inner[0] == '+' || inner[0] == '<')) return true;
  if ((inner.size() == 8 || inner.size() == 16) && is_hex(inner)) return true;
  return take_name(inner, kDays) || take_name(inner, kMonths);
}

// The kernel's own name as the one that writes: "kernel:", "kernel[0]:".
bool is_kernel_word(std::string_view word) {
  if (word.starts_with("kernel:")) return true;
  return word.starts_with("kernel[") && word.find("]:") != std::string_view::npos;
}

// "(2)[30:khungtaskd]": of some phones.
void drop_cpu(std::string_view& line) {
  if (line.size() > 4 && line[0] == '(' && is_digit(line[1]) && line[2] == ')' && line[3] == '[' &&
      is_digit(line[4]))
    line.remove_prefix(3);
}

}  // namespace

bool take_bracket(std::string_view& line, std::string_view& caller) {
  drop_cpu(line);
  if (!line.starts_with("[") || (line.starts_with("[<") && !line.starts_with("[< "))) return false;
  const std::size_t end = line.substr(0, kLongestBracket).find(']');
  if (end == std::string_view::npos) return false;
  const std::string_view inner = trimmed(line.substr(1, end - 1));
  const bool is_caller = inner.size() > 1 && (inner[0] == 'T' || inner[0] == 'C') &&
                         is_digit(inner[1]) &&
                         inner.find_first_not_of("0123456789TC@ ") == std::string_view::npos;
  if (!is_caller && !is_stamp(inner)) return false;
  if (is_caller) caller = inner;
  line.remove_prefix(end + 1);
  return true;
}

bool take_date(std::string_view& line) {
  std::string_view rest = line;
  if (!take_iso(rest) && !take_words(rest) && !take_clock(rest)) return false;
  if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t' && rest.front() != ':')
    return false;
  take_start(rest, ":");
  line = rest;
  return true;
}

bool take_origin(std::string_view& line) {
  std::string_view rest = line;
  for (int words = 0; words < kWordsBeforeKernel && !rest.empty(); ++words) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    if (is_kernel_word(word)) {
      rest.remove_prefix(rest.find(':') + 1);
      line = rest;
      return true;
    }
    if (word.empty() || word.back() == ':' || word.size() > 80) return false;
    rest.remove_prefix(end);
    skip_blanks(rest);
    std::string_view caller;
    std::string_view after = rest;
    if (words == 0 && word[0] != '[' && word[0] != '<' && take_bracket(after, caller) &&
        caller.empty() && rest.find('.') < rest.find(']') && rest != line) {
      line = rest;
      return true;
    }
  }
  return false;
}

}  // namespace stallproof
