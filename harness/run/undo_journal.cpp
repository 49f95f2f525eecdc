// SPDX-License-Identifier: Apache-2.0
#include "harness/run/undo_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/run/fuse_target.h"

namespace stallproof {
namespace {

constexpr const char* kRuntimeDirectory = "/run/stallproof";

struct JournalledProcess {
  std::string role;
  pid_t pid = 0;
  unsigned long long start_ticks = 0;
};

std::vector<JournalledProcess> parse_journal(const std::string& text) {
  std::vector<JournalledProcess> processes;
  std::istringstream lines(text);
  std::string kind;
  JournalledProcess process;
  while (lines >> kind >> process.role >> process.pid >> process.start_ticks)
    if (kind == "process") processes.push_back(process);
  return processes;
}

bool same_process(const JournalledProcess& process) {
  return process.start_ticks != 0 && process_start_ticks(process.pid) == process.start_ticks;
}

void kill_leftover(const JournalledProcess& process, std::vector<std::string>& told) {
  if (!same_process(process)) return;
  ::kill(process.pid, SIGKILL);
  const Deadline deadline = Deadline::in(2 * kSecond);
  while (!deadline.passed() && same_process(process)) ::poll(nullptr, 0, 5);
  const bool gone = !same_process(process);
  told.push_back(fmt::format("{} process {} ({}) of an earlier run",
                             gone ? "killed" : "could not kill", process.pid, process.role));
}

void undo_run(const std::string& directory, const std::string& journal,
              std::vector<std::string>& told) {
  const std::string mount_point = directory + "/mnt";
  // The connection first: it frees whatever waits for the service, so that the rest can die.
  if (const auto target = find_fuse_target(mount_point)) {
    abort_fuse_target(*target);
    told.push_back(fmt::format("aborted FUSE connection {} of an earlier run", target->connection));
  }
  for (const JournalledProcess& process : parse_journal(journal)) kill_leftover(process, told);
  for (int again = 0; again < 8 && find_fuse_target(mount_point); ++again)
    detach_mount(mount_point);
  if (find_fuse_target(mount_point)) told.push_back("could not unmount " + mount_point);
  ::rmdir(mount_point.c_str());
  ::unlink((directory + "/journal").c_str());
  if (::rmdir(directory.c_str()) == 0) told.push_back("removed " + directory);
}

void undo_if_orphaned(const std::string& directory, std::vector<std::string>& told) {
  const std::string path = directory + "/journal";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    ::rmdir((directory + "/mnt").c_str());
    ::rmdir(directory.c_str());
    return;
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;  // its controller lives
  const auto journal = read_file(path, 1U << 20U);
  undo_run(directory, journal ? *journal : "", told);
}

}  // namespace

Result<UndoJournal> UndoJournal::create(const std::string& run_id) {
  UndoJournal journal;
  journal.directory_ = std::string(kRuntimeDirectory) + "/" + run_id;
  if (auto made = make_directories(journal.directory_); !made) return Failure(made.error());
  const std::string path = journal.directory_ + "/journal";
  journal.file_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!journal.file_.valid()) return fail_errno("create " + path, errno, "is /run writable?");
  if (::flock(journal.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail_errno("lock " + path, errno);
  if (::mkdir(journal.mount_point().c_str(), 0755) != 0)
    return fail_errno("create " + journal.mount_point(), errno);
  return journal;
}

void UndoJournal::note_process(std::string_view role, pid_t pid) {
  const std::string line = fmt::format("process {} {} {}\n", role, pid, process_start_ticks(pid));
  [[maybe_unused]] const ssize_t n = ::write(file_.get(), line.data(), line.size());
}

bool UndoJournal::finish() {
  ::rmdir(mount_point().c_str());
  ::unlink((directory_ + "/journal").c_str());
  const bool removed = ::rmdir(directory_.c_str()) == 0;
  ::rmdir(kRuntimeDirectory);  // stays while other runs use it
  return removed;
}

std::vector<std::string> undo_leftovers() {
  std::vector<std::string> told;
  DIR* const directory = ::opendir(kRuntimeDirectory);
  if (directory == nullptr) return told;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    undo_if_orphaned(std::string(kRuntimeDirectory) + "/" + entry->d_name, told);
  }
  ::closedir(directory);
  ::rmdir(kRuntimeDirectory);
  return told;
}

unsigned long long process_start_ticks(pid_t pid) {
  const auto stat = read_file_bounded(fmt::format("/proc/{}/stat", pid), Deadline::in(kSecond));
  if (!stat) return 0;
  // The command may hold spaces and brackets: fields count from the last ')'. A zombie has ended.
  std::istringstream fields(stat->substr(stat->rfind(')') + 1));
  std::string word;
  for (int field = 3; fields >> word; ++field) {
    if (field == 3 && (word == "Z" || word == "X")) return 0;
    if (field == 22) return std::strtoull(word.c_str(), nullptr, 10);
  }
  return 0;
}

}  // namespace stallproof
