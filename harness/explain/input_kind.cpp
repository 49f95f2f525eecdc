// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/input_kind.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

constexpr std::size_t kLooked = 4U << 20U;  // a log's first report may come late, but not that late

bool has(std::string_view text, std::string_view mark) {
  return text.find(mark) != std::string_view::npos;
}

// e_type of an ELF header is 4 for a core (elf(5)); makedumpfile and diskdump name themselves.
bool is_vmcore(std::string_view content) {
  const bool core = content.starts_with(
                        "\x7f"
                        "ELF") &&
                    content.size() > 17 && content[16] == 4;
  return core || content.starts_with("KDUMP   ") || content.starts_with("DISKDUMP") ||
         content.starts_with("makedumpfile");
}

InputKind kind_of_json(std::string_view content) {
  const auto document = nlohmann::json::parse(content, nullptr, false);
  if (!document.is_object()) return InputKind::unknown;
  if (document.contains("tasks") && document.contains("locks")) return InputKind::snapshot;
  if (document.contains("edges") && document.contains("nodes")) return InputKind::explanation;
  if (document.contains("verdict") && document.contains("stalls")) return InputKind::verdict;
  return InputKind::unknown;
}

bool is_crash_text(std::string_view text) {
  return (has(text, "PID: ") && has(text, "COMMAND: ")) || has(text, "struct rwsem_waiter {") ||
         has(text, "crash> ");
}

bool is_kernel_log(std::string_view text) {
  for (const std::string_view mark :
       {"blocked for more than ", "sysrq: ", "SysRq : ", "Call Trace:", "Linux version ",
        " blocked on an rw-semaphore", "blocked in I/O wait", "soft lockup", "hard LOCKUP",
        "workqueue lockup - pool", " locking dependency detected", " detected stall",
        "I/O error, dev ", " not responding, ", " kernel: "})
    if (has(text, mark)) return true;
  // dmesg's stamps: "[  123.456789] "
  return text.starts_with("[") && has(text.substr(0, 64), "] ") && has(text.substr(0, 32), ".");
}

bool is_fs_knowledge(std::string_view text) {
  const bool assigns = has(text, "service") && has(text, "= [");
  return assigns || (has(text, "module") && has(text, "= \""));
}

bool is_text(std::string_view content) { return content.find('\0') == std::string_view::npos; }

}  // namespace

InputKind recognise(std::string_view content) {
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return InputKind::empty;
  if (content.starts_with("\x1f\x8b")) return InputKind::archive;
  if (is_vmcore(content)) return InputKind::vmcore;
  if (content[first] == '{') {
    const InputKind kind = kind_of_json(content);
    if (kind != InputKind::unknown) return kind;
  }
  const std::string_view text = content.substr(0, kLooked);
  if (is_crash_text(text)) return InputKind::crash_text;
  if (is_kernel_log(text)) return InputKind::kernel_log;
  if (is_text(text) && is_fs_knowledge(text)) return InputKind::fs_knowledge;
  return InputKind::unknown;
}

std::string_view kind_name(InputKind kind) {
  switch (kind) {
    case InputKind::snapshot:
      return "a snapshot of tasks and locks";
    case InputKind::explanation:
      return "a saved explanation";
    case InputKind::verdict:
      return "the verdict of a run";
    case InputKind::archive:
      return "a compressed archive";
    case InputKind::crash_text:
      return "output of crash";
    case InputKind::kernel_log:
      return "a kernel log";
    case InputKind::vmcore:
      return "a memory image (vmcore)";
    case InputKind::fs_knowledge:
      return "a file-system file for --fs";
    case InputKind::empty:
      return "empty";
    case InputKind::unknown:
      return "nothing known";
  }
  return "nothing known";
}

}  // namespace stallproof
