// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/crash_line.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// Next word from `text`, which loses it.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const auto end = std::find_if(text.begin(), text.end(), is_space);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, base);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

// The word after `label`, anywhere in the line.
std::optional<std::string_view> word_after(std::string_view line, std::string_view label) {
  const auto at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + label.size());
  return take_word(rest);
}

}  // namespace

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  if (text.substr(0, 2) == "0x") text.remove_prefix(2);
  return parse_number<std::uint64_t>(text, 16);
}

std::optional<TaskLine> parse_task_line(std::string_view line) {
  const auto pid_word = word_after(line, "PID:");
  const auto task_word = word_after(line, "TASK:");
  const auto command = line.find("COMMAND:");
  if (!pid_word || !task_word || command == std::string_view::npos) return std::nullopt;
  const auto pid = parse_number<std::int32_t>(*pid_word, 10);
  const auto task = parse_hex(*task_word);
  std::string_view comm = trimmed(line.substr(command + 8));
  if (!pid || *pid < 0 || !task || *task == 0 || comm.size() < 2) return std::nullopt;
  if (comm.front() != '"' || comm.back() != '"') return std::nullopt;
  comm = comm.substr(1, comm.size() - 2);
  return TaskLine{.pid = *pid, .task = *task, .comm = std::string{comm}};
}

namespace {

// On 32-bit ARM: "[<c0a1f8c0>] (schedule) from [<c0a1d054>]"; no place on the stack.
std::optional<FrameLine> parse_arm_frame(unsigned number, std::string_view place,
                                         std::string_view rest) {
  const std::string_view function = take_word(rest);
  if (place.size() < 5 || !place.ends_with(">]") || function.size() < 3 ||
      !function.starts_with('(') || !function.ends_with(')') || take_word(rest) != "from")
    return std::nullopt;
  const auto address = parse_hex(place.substr(2, place.size() - 4));
  if (!address) return std::nullopt;
  const std::string_view name = function.substr(1, function.size() - 2);
  FrameLine result{.number = number};
  result.frame.function = std::string{name.substr(0, name.find('+'))};
  result.frame.address = *address;
  return result;
}

}  // namespace

std::optional<FrameLine> parse_frame_line(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || line.front() != '#') return std::nullopt;
  line.remove_prefix(1);
  const auto number = parse_number<unsigned>(take_word(line), 10);
  const std::string_view stack = take_word(line);
  if (number && stack.starts_with("[<")) return parse_arm_frame(*number, stack, line);
  std::string_view function = take_word(line);
  const bool has_at = take_word(line) == "at";
  const auto address = parse_hex(take_word(line));
  const std::string_view module = trimmed(line);
  if (!number || !has_at || !address || function.empty()) return std::nullopt;
  if (stack.size() < 3 || stack.front() != '[' || stack.back() != ']') return std::nullopt;
  const auto stack_address = parse_hex(stack.substr(1, stack.size() - 2));
  if (!stack_address) return std::nullopt;
  const bool bracketed = module.size() > 2 && module.front() == '[' && module.back() == ']';
  if (!module.empty() && !bracketed) return std::nullopt;
  function = function.substr(0, function.find('+'));
  FrameLine result;
  result.number = *number;
  result.stack_address = *stack_address;
  result.frame.function = std::string{function};
  if (bracketed) result.frame.module = std::string{module.substr(1, module.size() - 2)};
  result.frame.address = *address;
  return result;
}

std::optional<FieldLine> parse_field_line(std::string_view line) {
  line = trimmed(line);
  const auto equals = line.find(" = ");
  if (equals == std::string_view::npos) return std::nullopt;
  std::string_view value = trimmed(line.substr(equals + 3));
  if (!value.empty() && value.back() == ',') value.remove_suffix(1);
  const std::string_view name = trimmed(line.substr(0, equals));
  if (name.empty() || value.empty() || name.find(' ') != std::string_view::npos)
    return std::nullopt;
  return FieldLine{.name = name, .value = trimmed(value)};
}

std::optional<std::int32_t> parse_process_note(std::string_view line) {
  if (take_word(line) != "//" || take_word(line) != "process") return std::nullopt;
  const auto number = parse_number<std::int32_t>(take_word(line), 10);
  return number && *number > 0 ? number : std::nullopt;
}

std::optional<LockNote> parse_lock_note(std::string_view line) {
  if (take_word(line) != "//") return std::nullopt;
  const std::string_view kind = take_word(line);
  std::string_view place = take_word(line);
  if (place.ends_with(',')) place.remove_suffix(1);
  const auto address = parse_hex(place);
  if ((kind != "mmap_lock" && kind != "rwsem") || !address) return std::nullopt;
  LockNote note{.address = *address};
  if (kind == "mmap_lock") note.kind = LockKind::mmap_lock;
  const auto number_after = [line](std::string_view label, int base) {
    std::string_view word = word_after(line, label).value_or(std::string_view{});
    while (word.ends_with(',') || word.ends_with(':')) word.remove_suffix(1);
    return base == 16 ? parse_hex(word) : parse_number<std::uint64_t>(word, base);
  };
  const auto tgid = number_after(" process ", 10);
  if (tgid && *tgid <= INT32_MAX) note.tgid = static_cast<std::int32_t>(*tgid);
  note.count = number_after(" count ", 16);
  return note;
}

std::optional<std::string_view> parse_prompt(std::string_view line) {
  line = trimmed(line);
  const auto end = line.find_first_of(">#$%");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  if (end + 1 < line.size() && !is_space(line[end + 1])) return std::nullopt;
  const std::string_view prompt = line.substr(0, end);
  if (prompt.size() > 40 || std::any_of(prompt.begin(), prompt.end(), [](char c) {
        return is_space(c) || c == '"' || c == '=' || c == '<';
      }))
    return std::nullopt;
  return trimmed(line.substr(end + 1));
}

bool is_ornament(std::string_view line) {
  line = trimmed(line);
  if (line.empty()) return true;
  constexpr std::array<std::string_view, 12> kStarts = {
      "[exception RIP:", "--- <",   "RIP:", "RSP:", "RAX:", "RBX:", "RDX:", "RBP:", "R10:", "R13:",
      "ORIG_RAX:",       "(active)"};
  if (std::any_of(kStarts.begin(), kStarts.end(),
                  [line](std::string_view start) { return line.substr(0, start.size()) == start; }))
    return true;
  // Raw stack words of bt -f, and file lines of bt -l.
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  if (line.front() == '/' && parse_number<unsigned>(trimmed(line.substr(colon + 1)), 10))
    return true;
  return colon == 16 && parse_hex(line.substr(0, colon)).has_value();
}

std::string excerpt(std::string_view line) {
  std::string text;
  for (const char c : trimmed(line).substr(0, 60)) text += c >= ' ' && c < 127 ? c : '.';
  return text;
}

}  // namespace stallproof
