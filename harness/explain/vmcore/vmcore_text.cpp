// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcore_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/probe/decode_task.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kKibPerPage = 4;

// Names in a damaged dump may hold anything.
std::string plain(std::string text) {
  for (char& c : text)
    if (c < ' ' || c > '~' || c == '"') c = '.';
  return text;
}

std::string cpu_of(const DumpedTask& task) {
  return task.cpu < 0 ? std::string("-") : std::to_string(task.cpu);
}

// As ps of crash writes states.
std::string_view state_word(std::uint32_t state) {
  switch (state_letter(state)) {
    case 'R':
      return "RU";
    case 'S':
      return "IN";
    case 'D':
      return "UN";
    case 'I':
      return "ID";
    case 'T':
      return "ST";
    default:
      return "??";
  }
}

// KiB.
std::string resident_of(const DumpedTask& task) {
  if (task.mm == 0) return "0";
  return task.resident ? std::to_string(*task.resident * kKibPerPage) : std::string("-");
}

std::string share_of(const DumpedTask& task, std::uint64_t total_pages) {
  if (task.mm != 0 && (!task.resident || total_pages == 0)) return "   -";
  const auto resident = static_cast<double>(task.resident.value_or(0));
  const auto total = static_cast<double>(std::max<std::uint64_t>(total_pages, 1));
  return fmt::format("{:>4.1f}", resident * 100 / total);
}

void add_frame(const Vmcore& dump, std::size_t number, const UnwoundFrame& frame,
               std::string& text) {
  const auto symbol = dump.symbols.find(frame.code());
  const std::string name =
      symbol ? std::string(symbol->function) : fmt::format("0x{:x}", frame.address);
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:>3} [{:x}] {} at {:x}", fmt::format("#{}", number), frame.stack_address,
                 plain(name), frame.address);
  if (symbol && !symbol->module.empty())
    fmt::format_to(out, " [{}]", plain(std::string(symbol->module)));
  text += '\n';
}

const char* kind_word(LockKind kind) {
  if (kind == LockKind::mutex) return "mutex";
  return kind == LockKind::mmap_lock ? "mmap_lock" : "rwsem";
}

const LockRow* row_of(const Vmcore& dump, const DumpedLock& lock) {
  const auto& rows = dump.snapshot.locks;
  const auto found = std::find_if(rows.begin(), rows.end(), [&lock](const LockRow& row) {
    return row.address == lock.address;
  });
  return found == rows.end() ? nullptr : &*found;
}

std::string held_by(const LockRow& row) {
  if (row.writer_holds.value_or(false)) return "a writer holds it";
  if (*row.reader_count == 0) return "nobody holds it";
  return *row.reader_count == 1 ? "1 reader holds it"
                                : fmt::format("{} readers hold it", *row.reader_count);
}

std::string lock_line(const Vmcore& dump, const DumpedLock& lock) {
  std::string line = fmt::format("// {} 0x{:x}", kind_word(lock.kind), lock.address);
  const LockRow* row = row_of(dump, lock);
  if (row == nullptr) return line + '\n';
  if (row->tgid != 0) line += fmt::format(" of process {}", row->tgid);
  if (row->reader_count && lock.kind != LockKind::mutex)
    line += fmt::format(", count 0x{:x}: {}", lock.count, held_by(*row));
  line += fmt::format(", {} queue{}", lock.queue.size(), lock.torn ? "; the queue breaks off" : "");
  return line + '\n';
}

std::string name_of(const Vmcore& dump, std::uint64_t address) {
  const auto found =
      std::find_if(dump.tasks.begin(), dump.tasks.end(),
                   [address](const DumpedTask& task) { return task.address == address; });
  return found == dump.tasks.end() ? std::string("a task not found")
                                   : fmt::format("{} {}", plain(found->comm), found->pid);
}

}  // namespace

std::string bt_text(const Vmcore& dump) {
  std::string text;
  for (std::size_t i = 0; i < dump.tasks.size(); ++i) {
    const DumpedTask& task = dump.tasks[i];
    const UnwoundStack& stack = dump.stacks[i];
    fmt::format_to(std::back_inserter(text), "PID: {:<8} TASK: {:x}  CPU: {:<3} COMMAND: \"{}\"\n",
                   task.pid, task.address, cpu_of(task), plain(task.comm));
    if (task.mm != 0) fmt::format_to(std::back_inserter(text), "// process {}\n", task.tgid);
    if (task.on_cpu) text += "(active)\n";
    for (std::size_t k = 0; k < stack.frames.size(); ++k) add_frame(dump, k, stack.frames[k], text);
    if (!stack.problem.empty()) fmt::format_to(std::back_inserter(text), "// {}\n", stack.problem);
    text += '\n';
  }
  return text;
}

std::string tasks_text(const Vmcore& dump) {
  std::string text = "      PID    PPID  CPU       TASK        ST  %MEM      VSZ      RSS  COMM\n";
  for (const DumpedTask& task : dump.tasks) {
    const std::string comm = plain(task.comm);
    fmt::format_to(std::back_inserter(text),
                   "{} {:>7} {:>7} {:>4}  {:x}  {}  {}  {:>8} {:>8}  {}\n", task.on_cpu ? '>' : ' ',
                   task.pid, task.parent, cpu_of(task), task.address, state_word(task.state),
                   share_of(task, dump.total_pages), task.total_vm * kKibPerPage, resident_of(task),
                   task.mm == 0 ? "[" + comm + "]" : comm);
  }
  return text;
}

std::string waiters_text(const Vmcore& dump) {
  std::string text;
  auto out = std::back_inserter(text);
  for (const DumpedLock& lock : dump.locks) {
    const char* waiter = lock.kind == LockKind::mutex ? "mutex_waiter" : "rwsem_waiter";
    text += lock_line(dump, lock);
    fmt::format_to(out, "list {0}.list -s {0}.task{1} -H {2:x}\n", waiter,
                   lock.kind == LockKind::mutex ? "" : ",type", lock.head);
    for (const QueuedTask& queued : lock.queue) {
      fmt::format_to(out, "{:x}\n// {}\n  task = 0x{:x},\n", queued.waiter,
                     name_of(dump, queued.task), queued.task);
      if (lock.kind != LockKind::mutex)
        fmt::format_to(out, "  type = RWSEM_WAITING_FOR_{},\n",
                       queued.mode == LockMode::read ? "READ" : "WRITE");
    }
    text += '\n';
  }
  return text;
}

}  // namespace stallproof
