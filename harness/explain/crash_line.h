// SPDX-License-Identifier: Apache-2.0
// One line of crash output, told apart. Internal to the crash text lens. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct TaskLine {
  std::int32_t pid = 0;
  std::uint64_t task = 0;
  std::string comm;
};

struct FrameLine {
  unsigned number = 0;
  std::uint64_t stack_address = 0;
  StackFrame frame;
};

struct FieldLine {
  std::string_view name;
  std::string_view value;
};

// Hexadecimal with or without 0x; nothing else may follow.
std::optional<std::uint64_t> parse_hex(std::string_view text);

// PID: 22134 TASK: ffff8b91992e3f40 CPU: 13 COMMAND: "java"
std::optional<TaskLine> parse_task_line(std::string_view line);
// #3 [ffff8b91efd5b948] wait_on_blkgrp_locked at ffffffffc06c107c [ffs]
std::optional<FrameLine> parse_frame_line(std::string_view line);
// task = 0xffff8b93cdcf8000,
std::optional<FieldLine> parse_field_line(std::string_view line);
// The command after a prompt ("crash> bt 1", "crash-8.0> list …"); empty after a bare prompt.
std::optional<std::string_view> parse_prompt(std::string_view line);
// What our own --bt and --waiters tell beside crash's form. `// process 115`, of the task before
// it.
std::optional<std::int32_t> parse_process_note(std::string_view line);
// // mmap_lock 0xff3d8590426d9ff0 of process 115, count 0x102: …, of the list after it.
struct LockNote {
  LockKind kind = LockKind::rwsem;
  std::uint64_t address = 0;
  std::int32_t tgid = 0;
  std::optional<std::uint64_t> count;  // of an rwsem that counts its readers
};
std::optional<LockNote> parse_lock_note(std::string_view line);
// Registers, raw stack words, exception marks, source lines: known and of no use here.
bool is_ornament(std::string_view line);
// For messages: printable, at most 60 characters.
std::string excerpt(std::string_view line);

}  // namespace stallproof
