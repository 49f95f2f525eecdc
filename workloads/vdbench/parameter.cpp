// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/parameter.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace stallproof {
namespace {

constexpr std::size_t kMostValues = 10'240;
constexpr double kKilo = 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return out;
}

std::string shown(std::string text) {
  for (char& c : text) {
    if (c == kHiddenBlank) c = ' ';
    if (c == kHiddenComma) c = ',';
    if (c == kHiddenEquals) c = '=';
    if (c == kHiddenDash) c = '-';
  }
  return text;
}

double factor_of(char suffix, const std::string& keyword) {
  switch (suffix) {
    case 'k':
      return kKilo;
    case 'm':
      for (const char* minutes : {"el", "in", "pa", "wa", "reset"})
        if (keyword.starts_with(minutes)) return 60;
      return kKilo * kKilo;
    case 'g':
      return kKilo * kKilo * kKilo;
    case 't':
      return kKilo * kKilo * kKilo * kKilo;
    case 'h':
      return 3600;
    case '%':
      return -1;
    default:
      return 0;
  }
}

// kb, mb … too.
std::optional<double> number_with_suffix(const std::string& text, const std::string& keyword) {
  if (text.size() < 2) return std::nullopt;
  std::string front = text.substr(0, text.size() - 1);
  char suffix = text.back();
  if ((suffix == 'b' || suffix == 'B') && text.size() > 2) {
    suffix = front.back();
    front.pop_back();
  }
  const double factor = factor_of(lower(std::string(1, suffix))[0], keyword);
  const auto value = plain_number(front);
  if (factor == 0 || !value) return std::nullopt;
  return *value * factor;
}

bool takes_only_words(const std::string& keyword) { return keyword == "histogram"; }

// Names that may look like a size (a host called 5220h).
bool takes_plain_numbers(const std::string& keyword) {
  return keyword == "host" || keyword == "hd" || keyword == "system";
}

std::optional<double> number_in(const std::string& text, const std::string& keyword) {
  if (takes_only_words(keyword)) return std::nullopt;
  if (keyword == "iorate" && text == "max") return kMaxRate;
  if (!keyword.starts_with("misc") && keyword != "replay")
    if (const auto value = plain_number(text)) return value;
  if (takes_plain_numbers(keyword)) return std::nullopt;
  return number_with_suffix(text, keyword);
}

// A value of a list before its ranges are written out.
struct Item {
  enum Kind { number, word, dash, doubling } kind = word;
  double value = 0;
  std::string text;
};

Result<std::vector<Item>> items_of(const Parameter& parameter) {
  std::vector<Item> items;
  bool in_range = false;
  for (const std::string& written : parameter.written) {
    Item item{.text = shown(written)};
    if (written == "-") {
      item.kind = Item::dash;
      in_range = true;
    } else if (in_range && written == "d") {
      item.kind = Item::doubling;
      in_range = false;
    } else if (const auto value = number_in(item.text, parameter.keyword)) {
      item.kind = Item::number;
      item.value = *value;
    }
    items.push_back(std::move(item));
  }
  // vdbench takes names that stand before numbers, and loses the numbers.
  const auto is_number = [](const Item& item) {
    return item.kind == Item::number || item.kind == Item::doubling;
  };
  const auto first_number = std::find_if(items.begin(), items.end(), is_number);
  if (std::any_of(first_number, items.end(),
                  [](const Item& item) { return item.kind == Item::word; }))
    return fault_at(parameter.place, fmt::format("'{}' mixes numbers and names", parameter.text));
  if (std::any_of(items.begin(), first_number,
                  [](const Item& item) { return item.kind == Item::word; }))
    items.erase(first_number, items.end());
  return items;
}

// Everything between `from` (taken already) and `to`: doubled, halved, or in steps.
Result<> write_out(std::vector<double>& out, double to, const Item* step, const Parameter& in) {
  const bool doubling = step != nullptr && step->kind == Item::doubling;
  if (out.empty() || step == nullptr || (!doubling && step->kind != Item::number))
    return fault_at(in.place,
                    fmt::format("'{}': a range is (low-high,step) or (low-high,d)", in.text));
  const bool up = !doubling || out.back() < to;
  for (double value = out.back();;) {
    value = !doubling ? value + step->value : up ? value * 2 : value / 2;
    if (up ? value > to : value < to) return {};
    if (out.size() >= kMostValues || value == out.back())
      return fault_at(in.place, fmt::format("'{}' has no end", in.text));
    out.push_back(value);
  }
}

Result<> number_ranges(Parameter& parameter, const std::vector<Item>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    if (item.kind == Item::number) parameter.numbers.push_back(item.value);
    if (item.kind != Item::dash) continue;
    if (i + 1 >= items.size() || items[i + 1].kind != Item::number)
      return fault_at(parameter.place,
                      fmt::format("'{}': '-' needs a number on both sides", parameter.text));
    const Item* const step = i + 2 < items.size() ? &items[i + 2] : nullptr;
    if (auto done = write_out(parameter.numbers, items[i + 1].value, step, parameter); !done)
      return done;
    i += 2;
  }
  return {};
}

struct NumberedName {
  std::string prefix;
  unsigned long number = 0;
};

std::optional<NumberedName> numbered(const std::string& name) {
  const std::size_t last = name.find_last_not_of("0123456789");
  const std::size_t begin = last == std::string::npos ? 1 : last + 1;
  if (begin >= name.size() || name.size() - begin > 9) return std::nullopt;
  return NumberedName{name.substr(0, begin), std::stoul(name.substr(begin))};
}

Result<> name_range(Parameter& parameter, const std::string& to) {
  const auto first = numbered(parameter.words.back()), last = numbered(to);
  const std::string range = parameter.words.back() + "-" + to;
  if (!first || !last)
    return fault_at(parameter.place, fmt::format("range {}: both names must end in a number (or "
                                                 "put the name in quotes)",
                                                 range));
  if (first->prefix != last->prefix)
    return fault_at(parameter.place, fmt::format("range {}: both names must begin alike", range));
  if (first->number >= last->number)
    return fault_at(parameter.place, fmt::format("range {}: the names must count up", range));
  for (unsigned long n = first->number + 1; n <= last->number; ++n) {
    if (parameter.words.size() >= kMostValues)
      return fault_at(parameter.place, fmt::format("range {}: too many names", range));
    parameter.words.push_back(first->prefix + std::to_string(n));
  }
  return {};
}

Result<> name_ranges(Parameter& parameter, const std::vector<Item>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind == Item::word) {
      parameter.words.push_back(items[i].text);
      continue;
    }
    if (parameter.words.empty() || i + 1 >= items.size() || items[i + 1].kind != Item::word)
      return fault_at(parameter.place,
                      fmt::format("'{}': '-' needs a name on both sides", parameter.text));
    if (auto done = name_range(parameter, items[++i].text); !done) return done;
  }
  return {};
}

// What stands between parentheses, commas and (where it means a range) dashes, dashes included.
std::vector<std::string> split_list(const std::string& list, bool dashes) {
  std::vector<std::string> out;
  std::string value;
  const auto finish = [&] {
    if (!value.empty()) out.push_back(std::move(value));
    value.clear();
  };
  for (const char c : list) {
    if (c == '(' || c == ')' || c == ',') {
      finish();
    } else if (c == '-' && dashes) {
      finish();
      out.emplace_back("-");
    } else {
      value += c;
    }
  }
  finish();
  return out;
}

bool dash_is_a_letter(const std::string& keyword) {
  return keyword == "host" || keyword == "hd" || keyword == "replay" || keyword.starts_with("misc");
}

// These read their list themselves.
bool reads_list_itself(const std::string& keyword) {
  return keyword == "fileselect" || keyword == "timeout" ||
         std::string_view("seekpct").starts_with(keyword);
}

// Counts and bytes are 64 bit, here as in vdbench.
Result<> check_sizes_of_numbers(const Parameter& parameter) {
  constexpr double kLargest = 1e18;
  for (const double number : parameter.numbers)
    if (!(std::abs(number) <= kLargest))
      return fault_at(parameter.place, fmt::format("'{}': too large a number", parameter.text));
  return {};
}

Result<> take_values(Parameter& parameter, const std::string& rest) {
  if (rest[0] != '(') {
    parameter.written = {shown(rest)};
    if (const auto value = number_in(parameter.written[0], parameter.keyword))
      parameter.numbers = {*value};
    else
      parameter.words = {parameter.written[0]};
    return {};
  }
  parameter.written = split_list(rest, !dash_is_a_letter(parameter.keyword));
  if (reads_list_itself(parameter.keyword)) return {};
  const auto items = items_of(parameter);
  if (!items) return Failure(items.error());
  const bool names = std::none_of(items->begin(), items->end(),
                                  [](const Item& item) { return item.kind == Item::number; });
  return names ? name_ranges(parameter, *items) : number_ranges(parameter, *items);
}

}  // namespace

std::optional<double> plain_number(std::string_view text) {
  std::string digits(text);
  if (digits.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  if (digits.find_first_not_of("0123456789.+-eEdDfF") != std::string::npos) return std::nullopt;
  if (std::string_view("dDfF").find(digits.back()) != std::string_view::npos) digits.pop_back();
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (end == digits.c_str() || *end != '\0') return std::nullopt;
  return value;
}

Result<Parameter> parse_parameter(const Token& token) {
  const std::size_t equals = token.text.find('=');
  if (equals == std::string::npos || equals + 1 >= token.text.size())
    return fault_at(token.place,
                    fmt::format("expected keyword=value, not '{}'", shown(token.text)));
  Parameter out{.keyword = lower(token.text.substr(0, equals)),
                .place = token.place,
                .text = shown(token.text)};
  if (out.keyword.size() < 2)
    return fault_at(token.place,
                    fmt::format("'{}': a keyword has at least two letters", shown(token.text)));
  if (auto taken = take_values(out, token.text.substr(equals + 1)); !taken)
    return Failure(taken.error());
  if (auto fits = check_sizes_of_numbers(out); !fits) return Failure(fits.error());
  return out;
}

Result<double> first_number(const Parameter& parameter) {
  if (!parameter.numbers.empty()) return parameter.numbers[0];
  return fault_at(parameter.place,
                  fmt::format("'{}': {}= needs a number", parameter.text, parameter.keyword));
}

Result<std::string> first_word(const Parameter& parameter) {
  if (!parameter.words.empty()) return parameter.words[0];
  return fault_at(parameter.place, fmt::format("'{}': {}= needs a name, not a number",
                                               parameter.text, parameter.keyword));
}

}  // namespace stallproof
