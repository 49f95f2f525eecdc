// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/node_list.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <unordered_set>

#include "harness/base/markup.h"
#include "harness/base/one_line.h"

namespace stallproof {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kMostDigits = 9;

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool parts_words(char letter) {
  return letter == ',' || letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

bool is_name_letter(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code > 0x20 && code != 0x7f && letter != '/' && letter != '[' && letter != ']' &&
         letter != ',';
}

class ListReader {
 public:
  ListReader(std::string_view text, const std::string& option) : text_(text), option_(option) {}
  Result<std::vector<std::string>> read();

 private:
  Result<> read_word();
  // "[1,3-5]": what may stand there.
  Result<std::vector<std::string>> read_bracket();
  Result<> read_range(std::vector<std::string>& into);
  Result<std::string_view> read_digits();
  Result<> append(std::vector<std::string>& made, const std::vector<std::string>& endings);
  [[nodiscard]] Failure problem(const std::string& why) const {
    return fail(fmt::format("{} '{}': column {}: {}", option_,
                            on_one_line(shortened(valid_utf8(text_), 80)), at_ + 1, why));
  }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  std::string_view text_;
  const std::string& option_;
  std::size_t at_ = 0;
  std::vector<std::string> names_;
  std::unordered_set<std::string> seen_;
};

Result<std::vector<std::string>> ListReader::read() {
  while (true) {
    while (!at_end() && parts_words(text_[at_])) ++at_;
    if (at_end()) break;
    if (auto word = read_word(); !word) return Failure(word.error());
  }
  if (names_.empty()) return problem("no node is named (give n1,n2 or node[01-20])");
  return std::move(names_);
}

Result<> ListReader::read_word() {
  std::vector<std::string> made{""};
  while (!at_end() && !parts_words(text_[at_])) {
    std::vector<std::string> endings;
    if (text_[at_] == '[') {
      auto bracket = read_bracket();
      if (!bracket) return Failure(bracket.error());
      endings = std::move(*bracket);
    } else if (is_name_letter(text_[at_])) {
      endings.emplace_back();
      while (!at_end() && is_name_letter(text_[at_])) endings.back() += text_[at_++];
    } else {
      return problem("a name has no such character");
    }
    if (auto all = append(made, endings); !all) return all;
  }
  for (std::string& name : made) {
    if (!seen_.insert(name).second)
      return problem(fmt::format("{} is named twice", valid_utf8(name)));
    names_.push_back(std::move(name));
  }
  return {};
}

Result<> ListReader::append(std::vector<std::string>& made,
                            const std::vector<std::string>& endings) {
  if (names_.size() + made.size() * endings.size() > kMostNodes)
    return problem(fmt::format("more than {} nodes", kMostNodes));
  std::vector<std::string> longer;
  longer.reserve(made.size() * endings.size());
  for (const std::string& name : made)
    for (const std::string& ending : endings) {
      if (name.size() + ending.size() > kLongestName)
        return problem(fmt::format("a name of more than {} characters", kLongestName));
      longer.push_back(name + ending);
    }
  made = std::move(longer);
  return {};
}

Result<std::vector<std::string>> ListReader::read_bracket() {
  const std::size_t opened = at_++;
  std::vector<std::string> endings;
  while (true) {
    if (auto range = read_range(endings); !range) return Failure(range.error());
    if (at_end()) {
      at_ = opened;
      return problem("this [ is not closed");
    }
    const char next = text_[at_];
    if (next != ',' && next != ']') return problem("a number, '-', ',' or ']' is wanted here");
    ++at_;
    if (next == ']') return endings;
  }
}

Result<std::string_view> ListReader::read_digits() {
  const std::size_t begin = at_;
  while (!at_end() && is_digit(text_[at_])) ++at_;
  if (at_ == begin) return problem("a number is wanted here");
  if (at_ - begin > kMostDigits) return problem("this number is too long");
  return text_.substr(begin, at_ - begin);
}

Result<> ListReader::read_range(std::vector<std::string>& into) {
  const auto first = read_digits();
  if (!first) return Failure(first.error());
  std::string_view last = *first;
  if (!at_end() && text_[at_] == '-') {
    ++at_;
    const auto end = read_digits();
    if (!end) return Failure(end.error());
    last = *end;
  }
  std::uint32_t low = 0, high = 0;
  std::from_chars(first->data(), first->data() + first->size(), low);
  std::from_chars(last.data(), last.data() + last.size(), high);
  if (high < low) return problem(fmt::format("{} comes before {}", last, *first));
  if (high - low >= kMostNodes) return problem(fmt::format("more than {} nodes", kMostNodes));
  for (std::uint32_t number = low; number <= high; ++number)
    into.push_back(fmt::format("{:0{}}", number, first->size()));
  if (into.size() > kMostNodes) return problem(fmt::format("more than {} nodes", kMostNodes));
  return {};
}

}  // namespace

Result<std::vector<std::string>> parse_node_list(std::string_view text, const std::string& option) {
  return ListReader(text, option).read();
}

bool same_node(std::string_view one, std::string_view other) {
  if (one == other) return true;
  const auto is_short_of = [](std::string_view name, std::string_view full) {
    return !name.empty() && full.size() > name.size() && full.starts_with(name) &&
           full[name.size()] == '.';
  };
  return is_short_of(one, other) || is_short_of(other, one);
}

}  // namespace stallproof
