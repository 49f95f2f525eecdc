// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/proc_lens.h"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"
#include "harness/probe/fuse_connections.h"
#include "harness/probe/task_status.h"

namespace stallproof {
namespace {

// Names that are numbers, sorted. readdir of /proc and of PID/task takes no lock of the target.
Result<std::vector<pid_t>> numbers_in(const std::string& directory) {
  const OpenDirectory dir = open_directory(directory);
  if (!dir) return fail_errno("list " + directory, errno, {}, Origin::infra);
  std::vector<pid_t> numbers;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name(entry->d_name);
    pid_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size())
      numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

class Reader {
 public:
  explicit Reader(const ProcLensOptions& options)
      : options_(options), deadline_(Deadline::in(options.limit)) {}

  void read_process(pid_t tgid) {
    const std::string directory = fmt::format("{}/{}/task", options_.proc_root, tgid);
    const Result<std::vector<pid_t>> tids = numbers_in(directory);
    if (!tids) return;  // it ended meanwhile
    for (const pid_t tid : *tids) read_task(fmt::format("{}/{}", directory, tid));
  }

  LockSnapshot finish() {
    snapshot_.lens = LensKind::live_proc;
    snapshot_.taken_monotonic_ns = monotonic_now();
    utsname name{};
    ::uname(&name);
    snapshot_.kernel = name.release;
    read_fuse();
    note_blind_spots();
    return std::move(snapshot_);
  }

 private:
  void read_task(const std::string& directory) {
    if (snapshot_.tasks.size() >= options_.max_tasks || deadline_.passed()) {
      ++skipped_;
      return;
    }
    const Result<std::string> text = read_file(directory + "/status", 1U << 16U);
    const auto status = text ? parse_task_status(*text) : std::nullopt;
    if (!status) return;
    if (options_.tgids.empty() && status->state != 'D') return;
    TaskRow row;
    row.tid = status->tid;
    row.tgid = status->tgid;
    row.comm = status->name;
    row.state = status->state;
    if (row.state == 't') row.halt = Halt::traced;
    if (row.state == 'T') row.halt = Halt::stopped;
    if (row.state == 't') row.state = 'T';
    row.kernel_thread = !status->has_memory && status->state != 'Z';
    if (row.state == 'D' || row.state == 'S') read_stack(directory + "/stack", row);
    snapshot_.tasks.push_back(std::move(row));
  }

  void read_stack(const std::string& path, TaskRow& row) {
    if (options_.probe == nullptr || deadline_.passed()) {
      row.stack_problem = options_.probe == nullptr ? "no probe child" : "no time left";
      ++without_stack_;
      return;
    }
    const Result<std::string> text = options_.probe->read(path, Deadline::in(options_.stack_limit));
    if (text)
      row.stack = parse_proc_stack(*text);
    else
      row.stack_problem = text.error().what;
    if (row.stack.empty()) ++without_stack_;
  }

  void read_fuse() {
    if (options_.fusectl.empty()) {
      snapshot_.blind_spots.emplace_back("FUSE connections were not looked at: no fusectl mount");
      return;
    }
    const auto loads = list_fuse_connections(options_.fusectl);
    if (!loads) {
      snapshot_.blind_spots.push_back(loads.error().what);
      return;
    }
    for (const FuseLoad& load : *loads) {
      FuseConnection connection;
      connection.number = load.number;
      connection.waiting = load.waiting;
      snapshot_.fuse.push_back(std::move(connection));
    }
    snapshot_.blind_spots.emplace_back(
        "FUSE: which process serves a connection and who waits in it needs BPF");
  }

  void note_blind_spots() {
    auto& spots = snapshot_.blind_spots;
    spots.emplace_back("locks, their holders and their queues cannot be read through /proc");
    if (skipped_ > 0)
      spots.push_back(fmt::format("{} tasks were not read: limit of rows or time", skipped_));
    if (without_stack_ > 0)
      spots.push_back(fmt::format("{} blocked or sleeping tasks have no stack", without_stack_));
    if (options_.probe != nullptr && options_.probe->timeouts() > 0)
      spots.push_back(fmt::format("{} reads did not answer in time", options_.probe->timeouts()));
  }

  const ProcLensOptions& options_;
  Deadline deadline_;
  LockSnapshot snapshot_;
  std::size_t skipped_ = 0;
  std::size_t without_stack_ = 0;
};

}  // namespace

std::vector<StackFrame> parse_proc_stack(std::string_view text) {
  std::vector<StackFrame> stack;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t start = line.find(">] ");
    if (start == std::string_view::npos) continue;
    StackFrame frame;
    if (line.starts_with("[<")) {
      // 0 where the kernel hides it (4.11 and later).
      std::from_chars(line.data() + 2, line.data() + start, frame.address, 16);
    }
    line.remove_prefix(start + 3);
    frame.function = line.substr(0, line.find('+'));
    const std::size_t open = line.find('[');
    const std::size_t close = line.find(']');
    if (open != std::string_view::npos && close != std::string_view::npos && open < close)
      frame.module = line.substr(open + 1, close - open - 1);
    // Old kernels end every stack with this mark.
    if (frame.address != 0xffffffffffffffffULL) stack.push_back(std::move(frame));
  }
  return stack;
}

Result<LockSnapshot> read_proc_lens(const ProcLensOptions& options) {
  Result<std::vector<pid_t>> tgids = options.tgids;
  if (options.tgids.empty()) tgids = numbers_in(options.proc_root);
  if (!tgids) return fail(tgids.error().what, tgids.error().origin);
  Reader reader(options);
  for (const pid_t tgid : *tgids) reader.read_process(tgid);
  return reader.finish();
}

}  // namespace stallproof
