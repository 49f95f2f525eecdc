// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/task_line.h"

#include <algorithm>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::string_view kStates = "RSDTtXZPI";

bool is_state(char letter) { return kStates.find(letter) != std::string_view::npos; }

std::optional<std::int32_t> field(std::string_view line, std::string_view key) {
  const auto value = between(line, key, "\n");
  return value ? leading_pid(*value) : std::nullopt;
}

// "task:java            state:D stack:0     pid:22 tgid:20 ppid:1 flags:0x00000000"
std::optional<TaskRow> new_form(std::string_view line) {
  if (!is_like_task_line(line)) return std::nullopt;
  const std::size_t state = line.rfind(" state:");
  const auto pid = field(line, " pid:");
  // The parent always follows the pid: without it the number may be cut.
  if (state == std::string_view::npos || state < 5 || state + 7 >= line.size() || !pid ||
      line.find(" ppid:") == std::string_view::npos)
    return std::nullopt;
  TaskRow task;
  task.comm = trimmed(line.substr(5, state - 5));
  task.state = line[state + 7];
  task.tid = *pid;
  task.tgid = field(line, " tgid:").value_or(0);
  task.parent_tgid = field(line, " ppid:").value_or(0);
  return task;
}

bool is_number(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
}

using Words = std::vector<std::string_view>;

// The word that holds the state, when `numbers` words (free stack, pid, parent, and of OpenVZ its
// container) stand before the flags: "D", "D ffff88023fc13680", "R running task", or with the free
// stack glued to it ("D11968", ppc64). 0 when this is no such line.
std::size_t state_word(const Words& words, std::size_t numbers) {
  constexpr std::size_t kNot = 0;
  const std::size_t flags = words.size() - 1;
  if (flags < numbers + 1) return kNot;
  std::size_t at = flags - numbers;
  for (std::size_t i = at + 1; i < flags; ++i)
    if (!is_number(words[i])) return kNot;
  const std::string_view first = words[at];
  if (first.size() > 1 && is_state(first[0]) && is_number(first.substr(1))) return at;
  if (!is_number(first)) return kNot;
  --at;
  if (at > 0 && (words[at].size() == 16 || words[at].size() == 8) && is_hex(words[at]))
    --at;
  else if (at >= 2 && words[at] == "task" && words[at - 1] == "running")
    at -= 2;
  else if (at >= 1 && words[at] == "running")  // 32 bits
    --at;
  return words[at].size() == 1 && is_state(words[at][0]) ? at : kNot;
}

TaskRow task_of(const Words& words, std::size_t state, std::size_t pid) {
  TaskRow task;
  const auto length = static_cast<std::size_t>(words[state].data() - words[0].data());
  task.comm = trimmed(std::string_view(words[0].data(), length));
  task.state = words[state][0];
  task.tid = leading_pid(words[pid]).value_or(0);
  task.parent_tgid = leading_pid(words[pid + 1]).value_or(0);
  return task;
}

// Before 2.6.21: "kjournald     D 0000D823  2860   654     15           680   618 (L-TLB)"
std::optional<TaskRow> oldest_form(std::string_view line) {
  if (!line.ends_with("(L-TLB)") && !line.ends_with("(NOTLB)")) return std::nullopt;
  const Words words = words_of(line);
  for (std::size_t at = 1; at + 4 < words.size(); ++at) {
    if (words[at].size() != 1 || !is_state(words[at][0])) continue;
    const std::size_t stack = words[at + 1].size() >= 8 && is_hex(words[at + 1]) ? at + 2 : at + 1;
    if (stack + 3 > words.size() - 1 || !is_number(words[stack]) || !is_number(words[stack + 1]))
      continue;
    return task_of(words, at, stack + 1);
  }
  return std::nullopt;
}

// Before 5.8: "java            D ffff88023fc13680     0  2821      1 0x00000080". The name may
// hold blanks: words count from the end.
std::optional<TaskRow> old_form(std::string_view line) {
  const std::size_t flags = line.rfind("0x");
  if (flags == std::string_view::npos || flags < 8 || line[flags - 1] != ' ') return std::nullopt;
  const Words words = words_of(line);
  if (words.size() < 5 || !words.back().starts_with("0x") || !is_hex(words.back().substr(2)))
    return std::nullopt;
  for (const std::size_t numbers : {3U, 4U}) {
    const std::size_t at = state_word(words, numbers);
    if (at == 0) continue;
    if (leading_pid(words[words.size() - numbers]))
      return task_of(words, at, words.size() - numbers);
  }
  return std::nullopt;
}

}  // namespace

// "task: ffff8801f6e1bf40 ti: …" of an oops in 3.x is another.
bool is_like_task_line(std::string_view line) {
  return line.starts_with("task:") && !line.starts_with("task: ");
}

std::optional<TaskRow> task_line(std::string_view line) {
  auto task = new_form(line);
  if (!task) task = old_form(line);
  return task ? task : oldest_form(line);
}

}  // namespace stallproof
