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
constexpr int kWordsBeforeKernel = 6;

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

// "06-27 15:21:34.123", "27.06.2025 15:21:34"
bool take_numbers(std::string_view& line) {
  std::string_view rest = line;
  if (!take_digits(rest, 1, 2) || !take_any_of(rest, "-/.") || !take_digits(rest, 1, 2))
    return false;
  if (take_any_of(rest, "-/.") && !take_digits(rest, 2, 4)) return false;
  skip_blanks(rest);
  if (!take_clock(rest)) return false;
  line = rest;
  return true;
}

// "Fri 2025-06-27 15:21:34" of journalctl -o short-full, "1 2025-06-27T15:21:34Z" of RFC 5424.
bool take_led_iso(std::string_view& line) {
  std::string_view rest = line;
  if (!take_start(rest, "1 ") && take_name(rest, kDays)) skip_blanks(rest);
  if (rest.size() == line.size() || !take_iso(rest)) return false;
  line = rest;
  return true;
}

// "Jun 27 15:21:34", "Jun 27 2025 15:21:34", "2025 Jun 27 15:21:34", "Fri Jun 27 15:21:34 CEST
// 2025"
bool take_words(std::string_view& line) {
  std::string_view rest = line;
  if (take_digits(rest, 4, 4)) {
    skip_blanks(rest);
  } else {
    rest = line;
    if (take_name(rest, kDays)) skip_blanks(rest);
  }
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

// "wo jul 28 05:19:43 2021": dmesg -T in any language.
bool is_foreign_date(std::string_view inner) {
  const std::size_t colon = inner.find(':');
  if (colon == std::string_view::npos || colon < 2) return false;
  const std::size_t begin = inner.rfind(' ', colon);
  if (begin == std::string_view::npos) return false;
  std::string_view rest = inner.substr(begin + 1);
  if (!take_clock(rest)) return false;
  for (std::size_t at = 0; at + 4 <= inner.size(); ++at) {
    std::string_view year = inner.substr(at);
    if ((at == 0 || inner[at - 1] == ' ') && take_digits(year, 4, 4)) return true;
  }
  return false;
}

bool is_stamp(std::string_view inner) {
  if (inner.empty()) return false;
  if (is_digit(inner[0])) return true;
  // dmesg -d, dmesg -H: "[<    0.000012>]", "[  +0.000012]", "[Jun27 15:21]"
  if (inner.size() > 1 && (inner[0] == '+' || inner[0] == '<')) return true;
  if ((inner.size() == 8 || inner.size() == 16) && is_hex(inner)) return true;
  return take_name(inner, kDays) || take_name(inner, kMonths) || is_foreign_date(inner);
}

// "123.456789] ": the first line of a page that was cut.
bool take_cut_bracket(std::string_view& line) {
  std::string_view rest = line;
  if (!take_digits(rest, 1, 9) || !take_start(rest, ".") || !take_digits(rest, 6, 6) ||
      !take_start(rest, "]"))
    return false;
  line = rest;
  return true;
}

// The kernel's own name as the one that writes: "kernel:", "kernel[0]:".
bool is_kernel_word(std::string_view word) {
  if (word.starts_with("kernel:")) return true;
  return word.starts_with("kernel[") && word.find("]:") != std::string_view::npos;
}

// "(2)[30:khungtaskd]", "-(2)[30:khungtaskd]", "I[2:  khungtaskd:   30]": of some phones.
void drop_cpu(std::string_view& line) {
  if (line.size() > 5 && line[0] == '-' && line[1] == '(' && is_digit(line[2]))
    line.remove_prefix(1);
  if (line.size() > 3 && line[1] == '[' && is_digit(line[2]) &&
      std::string_view("VDIWEF").find(line[0]) != std::string_view::npos)
    line.remove_prefix(1);
  if (line.size() > 4 && line[0] == '(' && is_digit(line[1]) && line[2] == ')' && line[3] == '[' &&
      is_digit(line[4]))
    line.remove_prefix(3);
}

// "0,16627,40311380557,": of a record of /dev/kmsg.
bool is_record(std::string_view text) {
  for (int field = 0; field < 3; ++field)
    if (!take_digits(text, 1, 20) || !take_start(text, ",")) return false;
  return true;
}

// "<host> " before the stamp or the record that a net console sent.
bool is_after_host(std::string_view host, std::string_view rest) {
  if (host[0] == '[' || host[0] == '<') return false;
  if (is_record(rest)) return true;
  std::string_view caller;
  std::string_view after = rest;
  return take_bracket(after, caller) && caller.empty() && rest.find('.') < rest.find(']');
}

}  // namespace

bool take_bracket(std::string_view& line, std::string_view& caller) {
  if (take_cut_bracket(line)) return true;
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
  if (!take_iso(rest) && !take_led_iso(rest) && !take_words(rest) && !take_numbers(rest) &&
      !take_clock(rest))
    return false;
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
    const bool netconsole = words == 0 && is_after_host(word, rest);
    // "node7 kernel - - - ": RFC 5424
    if (netconsole || (word == "kernel" && rest.starts_with("- "))) {
      while (take_start(rest, "- ")) skip_blanks(rest);
      line = rest;
      return true;
    }
  }
  return false;
}

}  // namespace stallproof
