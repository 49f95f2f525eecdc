// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/task_status.h"

#include <charconv>

namespace stallproof {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
}

// proc_task_name() writes newline as \n and backslash as two backslashes, nothing else.
std::string unescape_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      name.push_back(text[i] == 'n' ? '\n' : text[i]);
    } else {
      name.push_back(text[i]);
    }
  }
  return name;
}

void take_field(std::string_view key, std::string_view value, TaskStatus& status) {
  std::uint64_t switches = 0;
  if (key == "Name") status.name = unescape_name(value);
  if (key == "State" && !value.empty()) status.state = value.front();
  if (key == "Tgid") parse_number(value, status.tgid);
  if (key == "Pid") parse_number(value, status.tid);
  if (key == "VmSize") status.has_memory = true;
  if ((key == "voluntary_ctxt_switches" || key == "nonvoluntary_ctxt_switches") &&
      parse_number(value, switches))
    status.switches += switches;
}

}  // namespace

std::optional<TaskStatus> parse_task_status(std::string_view text) {
  TaskStatus status;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    take_field(line.substr(0, colon), trim(line.substr(colon + 1)), status);
  }
  if (status.name.empty() || status.state == '?' || status.tgid == 0 || status.tid == 0)
    return std::nullopt;
  return status;
}

}  // namespace stallproof
