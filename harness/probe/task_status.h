// SPDX-License-Identifier: Apache-2.0
// /proc/PID/task/TID/status: one of the few files of a stuck process that can be read without
// waiting for one of its locks (fs/proc/array.c proc_pid_status, 3.10 to 6.18). Pure parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

struct TaskStatus {
  std::string name;
  char state = '?';
  std::int32_t tgid = 0;
  std::int32_t tid = 0;
  std::uint64_t switches = 0;  // voluntary and not
  bool has_memory = false;     // VmSize is listed: neither a kernel thread nor a zombie
};

// nullopt when Name, State, Tgid or Pid is missing. Escapes in the name are undone.
std::optional<TaskStatus> parse_task_status(std::string_view text);

}  // namespace stallproof
