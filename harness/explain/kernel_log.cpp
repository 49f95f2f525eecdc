// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace stallproof {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::optional<std::int32_t> number(std::string_view text) {
  text = trimmed(text);
  std::int32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr == text.data()) return std::nullopt;
  return value;
}

// The number after "pid:" in a task line of 5.8 and later.
std::optional<std::int32_t> field(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  return at == std::string_view::npos ? std::nullopt : number(line.substr(at + key.size()));
}

constexpr std::string_view kStates = "RSDTtXZPI";

// "task:java            state:D stack:0     pid:22 tgid:20 ppid:1 flags:0x00000000"
std::optional<TaskRow> new_header(std::string_view line) {
  if (!line.starts_with("task:")) return std::nullopt;
  const std::size_t state = line.find(" state:");
  const auto pid = field(line, " pid:");
  if (state == std::string_view::npos || !pid || state + 7 >= line.size()) return std::nullopt;
  TaskRow task;
  task.comm = trimmed(line.substr(5, state - 5));
  task.state = line[state + 7];
  task.tid = *pid;
  task.tgid = field(line, " tgid:").value_or(0);
  return task;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trimmed(line)).empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool is_hex(std::string_view word, std::size_t digits) {
  return word.size() == digits && std::all_of(word.begin(), word.end(), [](unsigned char letter) {
           return std::isxdigit(letter) != 0;
         });
}

// Before 5.8: "java            D ffff88023fc13680     0  2821      1 0x00000080", the address left
// out since 4.15. The name may hold spaces: fields count from the end.
std::optional<TaskRow> old_header(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() < 6 || !words.back().starts_with("0x")) return std::nullopt;
  const auto pid = number(words[words.size() - 3]);
  if (!pid || !number(words[words.size() - 2]) || !number(words[words.size() - 4]))
    return std::nullopt;
  std::size_t state = words.size() - 5;
  if (is_hex(words[state], 16) || is_hex(words[state], 8)) --state;
  if (words[state].size() != 1 || kStates.find(words[state][0]) == std::string_view::npos ||
      state == 0)
    return std::nullopt;
  TaskRow task;
  const char* const begin = words[0].data();
  task.comm = std::string(begin, static_cast<std::size_t>(words[state].data() - begin));
  task.comm = trimmed(std::string(task.comm));
  task.state = words[state][0];
  task.tid = *pid;
  return task;
}

// "[<ffffffff81609729>] schedule+0x29/0x70", "schedule+0x29/0x70 [ext4]"; "? f" is a guess of the
// unwinder and left out.
std::optional<StackFrame> frame_of(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with("[<")) {
    const std::size_t end = line.find(">]");
    if (end == std::string_view::npos) return std::nullopt;
    line = trimmed(line.substr(end + 2));
  }
  const std::size_t plus = line.find("+0x");
  if (plus == std::string_view::npos || plus == 0 || line.starts_with("?")) return std::nullopt;
  if (line.substr(0, plus).find(' ') != std::string_view::npos) return std::nullopt;
  StackFrame frame{.function = std::string(line.substr(0, plus)), .module = {}};
  const std::size_t open = line.find(" [", plus);
  const std::size_t close = line.find(']', plus);
  if (open != std::string_view::npos && close != std::string_view::npos && close > open)
    frame.module = line.substr(open + 2, close - open - 2);
  return frame;
}

bool continues_a_stack(std::string_view line) {
  line = trimmed(line);
  return line.empty() || line == "Call Trace:" || line == "<TASK>" || line == "</TASK>" ||
         line.starts_with("?") || line.starts_with("[<") || line.starts_with("RIP:") ||
         line.starts_with("RSP:") || line.starts_with("Workqueue:") || line.starts_with("ffff") ||
         (line.size() > 4 && line.substr(0, 2) == "R1" && line.find(": ") < 5);
}

// "java:22" at the end of a phrase: the name may hold colons.
std::int32_t pid_before(std::string_view line, std::string_view phrase) {
  const std::size_t end = line.find(phrase);
  if (end == std::string_view::npos) return 0;
  const std::size_t colon = line.substr(0, end).rfind(':');
  return colon == std::string_view::npos ? 0 : number(line.substr(colon + 1)).value_or(0);
}

class Parser {
 public:
  CrashText parse(std::string_view text) {
    out_.snapshot.lens = LensKind::crash_text;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      take(without_prefix(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    out_.complete = !out_.snapshot.tasks.empty() && out_.problems.empty();
    out_.snapshot.blind_spots.emplace_back(
        "a kernel log shows blocked tasks and their stacks; who holds a lock, its queue and "
        "requests of file systems it does not");
    return std::move(out_);
  }

 private:
  void take(std::string_view line) {
    if (auto task = new_header(line)) return begin(std::move(*task));
    if (auto task = old_header(line)) return begin(std::move(*task));
    if (line.starts_with("task:"))
      out_.problems.push_back({line_, "a task line that is cut or of an unknown form"});
    if (take_owner(line)) return;
    if (task_ == kNone) return;
    if (auto frame = frame_of(line))
      out_.snapshot.tasks[task_].stack.push_back(std::move(*frame));
    else if (!continues_a_stack(line))
      task_ = kNone;
  }

  void begin(TaskRow task) {
    task.source_line = line_;
    auto& tasks = out_.snapshot.tasks;
    const auto known = std::find_if(tasks.begin(), tasks.end(), [&task](const TaskRow& each) {
      return each.tid == task.tid && each.comm == task.comm;
    });
    task_ = static_cast<std::size_t>(known - tasks.begin());
    if (known == tasks.end())
      tasks.push_back(std::move(task));
    else
      *known = std::move(task);
  }

  // "INFO: task java:22 <writer> blocked on an rw-semaphore likely owned by task java:21 <reader>"
  bool take_owner(std::string_view line) {
    constexpr std::string_view kOwned = "likely owned by task ";
    const std::size_t owned = line.find(kOwned);
    if (!line.starts_with("INFO: task ") || owned == std::string_view::npos) return false;
    const bool mutex = line.find(" on a mutex") != std::string_view::npos;
    const bool writes = line.find("<writer>") < owned;
    const std::int32_t waiter =
        std::max(pid_before(line, " <reader> blocked"),
                 std::max(pid_before(line, " <writer> blocked"), pid_before(line, " is blocked")));
    std::string_view owner = line.substr(owned + kOwned.size());
    const bool holds_for_write = owner.find("<writer>") != std::string_view::npos;
    owner = owner.substr(0, std::min({owner.find(" <"), owner.rfind('.'), owner.size()}));
    const std::size_t colon = owner.rfind(':');
    const auto holder =
        colon == std::string_view::npos ? std::nullopt : number(owner.substr(colon + 1));
    if (waiter == 0 || !holder) return true;
    LockRow lock{.kind = mutex ? LockKind::mutex : LockKind::rwsem};
    lock.waiters.push_back({.tid = waiter,
                            .mode = mutex || writes ? LockMode::write : LockMode::read,
                            .source_line = line_});
    lock.holders.push_back(
        {.tid = *holder,
         .mode = mutex || holds_for_write ? LockMode::write : LockMode::read,
         .certainty = Certainty::likely,
         .evidence = fmt::format("line {}: likely owned, says the kernel", line_)});
    out_.snapshot.locks.push_back(std::move(lock));
    return true;
  }

  static constexpr std::size_t kNone = ~std::size_t{0};
  CrashText out_;
  std::size_t task_ = kNone;
  std::size_t line_ = 0;
};

// "[   12.345678]", "[T38]", "[Fri Jun 27 15:21:34 2025]": all stamps begin with a bracket; the
// "[<address>]" of a frame does not.
bool drop_bracket(std::string_view& line) {
  if (!line.starts_with("[") || line.starts_with("[<")) return false;
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos || end > 40) return false;
  line.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string_view without_prefix(std::string_view line) {
  while (line.starts_with("> ")) line.remove_prefix(2);
  // journal and syslog: "Jun 27 15:21:34 node kernel: "
  constexpr std::string_view kKernel = " kernel: ";
  if (const std::size_t at = line.find(kKernel); at != std::string_view::npos && at < 100)
    line.remove_prefix(at + kKernel.size());
  // /dev/kmsg and netconsole: "6,1234,5678901,-,caller=T38;text"
  if (!line.empty() && is_digit(line[0])) {
    const std::size_t semicolon = line.find(';');
    const std::string_view head = line.substr(0, std::min(semicolon, line.size()));
    if (semicolon != std::string_view::npos && std::count(head.begin(), head.end(), ',') >= 3)
      line.remove_prefix(semicolon + 1);
  }
  if (line.starts_with("<") && line.size() > 2 && is_digit(line[1])) {
    const std::size_t end = line.find('>');
    if (end != std::string_view::npos && end < 6) line.remove_prefix(end + 1);
  }
  while (true) {
    std::string_view rest = line;
    while (rest.starts_with(" ")) rest.remove_prefix(1);
    if (!drop_bracket(rest)) break;
    line = rest;
  }
  return trimmed(line);
}

CrashText parse_kernel_log(std::string_view text) { return Parser().parse(text); }

}  // namespace stallproof
