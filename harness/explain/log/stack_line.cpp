// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/stack_line.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::string_view kOffset = "+0x";

// Where the kernel says on which stack it is, sometimes before a frame on the same line.
constexpr std::array<std::string_view, 10> kSections = {"<TASK>",  "</TASK>",  "<IRQ>", "</IRQ>",
                                                        "<NMI>",   "</NMI>",   "<EOI>", "<<EOE>>",
                                                        "<<NMI>>", "<SOFTIRQ>"};

// "[<ffffffff81609729>]", "([<00000000001>]"
void drop_address(std::string_view& line) {
  std::string_view rest = line;
  take_start(rest, "(");
  if (!rest.starts_with("[<")) return;
  const std::size_t end = rest.find(">]");
  if (end == std::string_view::npos) return;
  line = trimmed(rest.substr(end + 2));
}

bool is_name(std::string_view word) {
  return !word.empty() && !is_digit(word[0]) &&
         std::all_of(word.begin(), word.end(), [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '_' || letter == '.' || letter == '$';
         });
}

// The name before "+0x", without the dot of ppc64's entry points.
std::string_view name_of(std::string_view text) {
  text = text.substr(0, text.find(kOffset));
  take_start(text, "(");
  take_start(text, ".");
  return is_name(text) ? text : std::string_view{};
}

// "[ext4]", "[zfs 0123abcd]" (with its build), "[nvme(OE)]"
std::string_view module_of(std::string_view after) {
  const auto inside = between(after, " [", "]");
  if (!inside) return {};
  const std::string_view module = inside->substr(0, inside->find_first_of(" ("));
  return module == "inline" ? std::string_view{} : module;
}

// "(__schedule) from [<80a87d1c>] (schedule+0x50/0xb8)", "__schedule from schedule+0x50/0xb8"
std::optional<StackLine> arm_line(std::string_view line) {
  const std::size_t from = line.find(" from ");
  if (from == std::string_view::npos) return std::nullopt;
  std::string_view callee = line.substr(0, from);
  if (take_start(callee, "(")) callee = callee.substr(0, callee.find(')'));
  callee = callee.substr(0, callee.find(kOffset));
  std::string_view caller = trimmed(line.substr(from + 6));
  drop_address(caller);
  const std::string_view name = name_of(caller);
  if (!is_name(callee) || name.empty() || caller.find(kOffset) == std::string_view::npos)
    return std::nullopt;
  StackLine found;
  found.frame = {.function = std::string(name), .module = std::string(module_of(caller))};
  found.callee = callee;
  return found;
}

// decode_stacktrace.sh: "folio_wait_bit mm/filemap.c:1275 [inline]"
std::optional<StackLine> inline_line(std::string_view line) {
  if (!line.ends_with(" [inline]") || line.find(".c:") == std::string_view::npos)
    if (!line.ends_with(" [inline]") || line.find(".h:") == std::string_view::npos)
      return std::nullopt;
  const std::string_view name = line.substr(0, line.find(' '));
  if (!is_name(name)) return std::nullopt;
  StackLine found;
  found.frame.function = name;
  return found;
}

std::string_view without_sections(std::string_view line) {
  for (bool taken = true; taken;) {
    taken = false;
    for (const std::string_view section : kSections)
      if (take_start(line, section)) taken = true;
    line = trimmed(line);
  }
  return line;
}

}  // namespace

std::optional<StackLine> stack_line(std::string_view line) {
  line = without_sections(trimmed(line));
  drop_address(line);
  const bool marked = take_start(line, "? ");
  const std::size_t plus = line.find(kOffset);
  if (plus == std::string_view::npos) return inline_line(line);
  if (auto arm = arm_line(line)) return arm;
  const std::string_view name = name_of(line);
  if (name.empty()) return std::nullopt;
  const std::string_view after = line.substr(plus);
  StackLine found;
  found.frame = {.function = std::string(name), .module = std::string(module_of(after))};
  found.guessed = marked || after.find("(unreliable)") != std::string_view::npos;
  return found;
}

std::optional<std::string> running_function(std::string_view line) {
  constexpr std::array<std::string_view, 8> kRegisters = {
      "RIP: ", "EIP: ", "EIP is at ", "PC is at ", "pc : ", "NIP ", "epc ", "Krnl PSW : "};
  for (const std::string_view name : kRegisters) {
    if (!line.starts_with(name)) continue;
    const std::size_t plus = line.find(kOffset);
    if (plus == std::string_view::npos) return std::nullopt;
    const std::size_t begin = line.find_last_of(" :(", plus);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::string_view function = name_of(line.substr(begin + 1));
    if (function.empty()) return std::nullopt;
    return std::string(function);
  }
  return std::nullopt;
}

bool belongs_to_stack(std::string_view line) {
  if (line.empty() || line == "Call Trace:" || line == "Call trace:" || line == "Backtrace:")
    return true;
  for (const std::string_view start :
       {"?",     "[<",         "([<",        "<",    "RIP:",    "RSP:", "EIP",
        "ESP",   "Workqueue:", "Sched_ext:", "ffff", "Stack :", "CPU:", "Hardware name:",
        "Code:", "RAX:",       "RDX:",       "RBP:", "CR2:",    "DR0:", "FS:",
        "CS:",   "PKRU:",      "ORIG_RAX:"})
    if (line.starts_with(start)) return true;
  // "R10: …", "r5:00000000 r4:dc8c2d80", raw words of the stack
  return (line.size() > 3 && (line[0] == 'R' || line[0] == 'r') && is_digit(line[1])) ||
         (line.size() >= 17 && is_hex(line.substr(0, 16)) && line[16] == ' ');
}

std::optional<RunningTask> running_task(std::string_view line) {
  std::size_t comm = line.find(" Comm: ");
  if (line.starts_with("Pid: ")) comm = line.find(" comm: ");  // before 3.10
  if (comm == std::string_view::npos) return std::nullopt;
  const auto pid = between(line.substr(0, comm), line[0] == 'P' ? "Pid: " : "PID: ", "\n");
  const auto number = pid ? leading_pid(*pid) : std::nullopt;
  if (!number) return std::nullopt;
  std::string_view name = line.substr(comm + 7);
  for (const std::string_view end : {" Kdump: ", " Not tainted", " Tainted", "\tNot tainted"})
    name = name.substr(0, name.find(end));
  return RunningTask{std::string(trimmed(name)), *number};
}

}  // namespace stallproof
