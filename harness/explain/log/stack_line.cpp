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
constexpr std::array<std::string_view, 11> kSections = {"<TASK>",  "</TASK>", "<IRQ>",    "</IRQ>",
                                                        "<NMI>",   "</NMI>",  "<EOI>",    "<EOE>",
                                                        "<<EOE>>", "<<NMI>>", "<SOFTIRQ>"};
constexpr std::size_t kLongestName = 512;  // KSYM_NAME_LEN

// "[<ffffffff81609729>]", "([<00000000001>]": whether there was one
bool drop_address(std::string_view& line) {
  std::string_view rest = line;
  take_start(rest, "(");
  if (!rest.starts_with("[<")) return false;
  const std::size_t end = rest.find(">]");
  if (end == std::string_view::npos) return false;
  line = trimmed(rest.substr(end + 2));
  return true;
}

bool is_name(std::string_view word) {
  return !word.empty() && word.size() <= kLongestName && !is_digit(word[0]) &&
         std::all_of(word.begin(), word.end(), [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '_' || letter == '.' || letter == '$';
         });
}

// The name before "+0x", without the dot of ppc64's entry points.
std::string_view name_of(std::string_view text) {
  text = text.substr(0, text.find(kOffset));
  if (take_start(text, "(")) text = trimmed(text);
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
  callee = callee.substr(0, callee.find(' '));  // "(f [module])"
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

// "mm/filemap.c:1275"
bool has_place(std::string_view text) {
  for (const std::string_view suffix : {".c:", ".h:", ".S:"})
    if (text.find(suffix) != std::string_view::npos) return true;
  return false;
}

// Of decode_stacktrace.sh: "folio_wait_bit mm/filemap.c:1275 [inline]", of the kernel test robot:
// "io_schedule (kernel/sched/core.c:9030 (discriminator 1)) xfs", and of faddr2line: "schedule at
// kernel/sched/core.c:6778 (discriminator 1)", "(inlined by) __schedule at …".
std::optional<StackLine> decoded_line(std::string_view line) {
  take_start(line, "(inlined by) ");
  const std::string_view name = line.substr(0, line.find(' '));
  if (!is_name(name) || name.size() == line.size()) return std::nullopt;
  const std::string_view after = line.substr(name.size() + 1);
  const bool robot = after.starts_with("(") && after.find('/') != std::string_view::npos &&
                     (after.ends_with(")") || is_name(trimmed(after.substr(after.rfind(')') + 1))));
  const bool addressed = after.starts_with("at ") && after.find('/') != std::string_view::npos;
  if ((!robot && !addressed && !after.ends_with(" [inline]")) || !has_place(after))
    return std::nullopt;
  StackLine found;
  found.frame.function = name;
  return found;
}

// "+0x0/0x2e", "+0x2e/0x2e"
bool is_pointer(std::string_view after) {
  constexpr std::string_view kHex = "0123456789abcdef";
  after.remove_prefix(kOffset.size());
  const std::size_t slash = std::min(after.find_first_not_of(kHex), after.size());
  const std::string_view offset = after.substr(0, slash);
  if (offset == "0") return true;
  std::string_view size = after.substr(slash);
  if (!take_start(size, "/0x")) return false;
  return size.substr(0, size.find_first_not_of(kHex)) == offset;
}

// ":jbd2:kjournald2+0x9a/0x1ec", before 2.6.19. "jbd2" is taken off the front.
std::string_view take_module(std::string_view& line) {
  const std::size_t end = line.starts_with(":") ? line.find(':', 1) : std::string_view::npos;
  if (end == std::string_view::npos || !is_name(line.substr(1, end - 1))) return {};
  const std::string_view module = line.substr(1, end - 1);
  line.remove_prefix(end + 1);
  return module;
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

// "0010:f (kernel/smp.c:363)"; "0010:f kernel/smp.c:363 [inline]" is the next line's callee.
std::optional<std::string> decoded_register(std::string_view text) {
  take_start(text, "0010:");
  const auto decoded = decoded_line(text);
  if (!decoded || text.ends_with("]")) return std::nullopt;
  return decoded->frame.function;
}

}  // namespace

std::optional<StackLine> stack_line(std::string_view line) {
  line = without_sections(trimmed(line));
  const bool addressed = drop_address(line);
  const bool marked = take_start(line, "? ");
  line = trimmed(line);
  const std::string_view module = take_module(line);
  const std::size_t plus = line.find(kOffset);
  if (plus == std::string_view::npos) {
    auto decoded = decoded_line(line);
    if (decoded) decoded->guessed = marked;
    if (decoded) decoded->addressed = addressed;
    return decoded;
  }
  if (auto arm = arm_line(line)) return arm;
  const std::string_view name = name_of(line);
  if (name.empty()) return std::nullopt;
  const std::string_view after = line.substr(plus);
  StackLine found;
  found.frame = {.function = std::string(name),
                 .module = std::string(module.empty() ? module_of(after) : module)};
  found.guessed = marked || after.find("(unreliable)") != std::string_view::npos;
  found.pointer = is_pointer(after);
  found.addressed = addressed;
  return found;
}

std::optional<std::string> running_function(std::string_view line) {
  constexpr std::array<std::string_view, 12> kRegisters = {
      "RIP: ", "EIP: ",       "EIP is at ", "PC is at ", "pc : ",   "NIP ",
      "epc ",  "Krnl PSW : ", "TPC: ",      "ERA: ",     "epc\t: ", "--- interrupt: "};
  for (const std::string_view name : kRegisters) {
    if (!line.starts_with(name)) continue;
    const std::size_t plus = line.find(kOffset);
    if (plus == std::string_view::npos) return decoded_register(line.substr(name.size()));
    const std::size_t begin = line.find_last_of(" :(<", plus);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::string_view function = name_of(line.substr(begin + 1));
    if (function.empty()) return std::nullopt;
    return std::string(function);
  }
  return std::nullopt;
}

bool is_call_trace(std::string_view line) {
  return line == "Call Trace:" || line == "Call trace:" || line == "Backtrace:";
}

bool belongs_to_stack(std::string_view line) {
  if (line.empty() || is_call_trace(line)) return true;
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
