// SPDX-License-Identifier: Apache-2.0
#include "harness/run/undo_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <sstream>

#include "harness/base/file.h"
#include "harness/run/fuse_target.h"
#include "harness/run/process_identity.h"
#include "harness/run/undo_injection.h"

namespace stallproof {
namespace {

// Longer than undoing one run can take.
constexpr Nanos kLockDeadline = 20 * kSecond;
constexpr Nanos kKillDeadline = 2 * kSecond;

struct JournalledProcess {
  std::string role;
  ProcessIdentity identity;
};

struct Journal {
  std::optional<std::uint32_t> connection;
  std::vector<JournalledProcess> processes;
  std::vector<ScratchDirectory> scratches;
  std::vector<ChangedSetting> settings;  // one for each path
};

// The rest of the line: a path may hold spaces. A line break in it would be another line, so such a
// path is not removed after a SIGKILL.
bool read_scratch(std::istringstream& words, ScratchDirectory& scratch) {
  return words >> scratch.device_major >> scratch.device_minor >> std::ws &&
         std::getline(words, scratch.path) && !scratch.path.empty();
}

bool read_shared_scratch(std::istringstream& words, ScratchDirectory& scratch) {
  return words >> scratch.mark && read_scratch(words, scratch);
}

void keep_last(const ChangedSetting& setting, std::vector<ChangedSetting>& settings) {
  std::erase_if(settings,
                [&setting](const ChangedSetting& each) { return each.path == setting.path; });
  settings.push_back(setting);
}

Journal parse_journal(const std::string& text) {
  Journal journal;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind;
    JournalledProcess process;
    std::uint32_t number = 0;
    ScratchDirectory scratch;
    ChangedSetting setting;
    words >> kind;
    if (kind == "process" &&
        words >> process.role >> process.identity.pid >> process.identity.start_ticks)
      journal.processes.push_back(process);
    else if (kind == "connection" && words >> number)
      journal.connection = number;
    else if (kind == "scratch" && read_scratch(words, scratch))
      journal.scratches.push_back(scratch);
    else if (kind == "shared-scratch" && read_shared_scratch(words, scratch))
      journal.scratches.push_back(scratch);
    else if (kind == "setting" && words >> setting.path >> setting.before >> setting.ours)
      keep_last(setting, journal.settings);
  }
  return journal;
}

// One process at a time makes, undoes and removes runs. The lock is on the parent of the runtime
// directory, which nobody removes, so that no lock file is left on the machine.
Result<Fd> lock_runtime(const std::string& runtime) {
  const std::string parent = runtime.substr(0, runtime.rfind('/')) + "/";
  Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return fail_errno("open " + parent, errno, {}, Origin::infra);
  const Deadline deadline = Deadline::in(kLockDeadline);
  while (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail_errno("lock " + parent, errno, {}, Origin::infra);
    if (deadline.passed())
      return fail_errno("lock " + parent, EWOULDBLOCK, "another start is undoing: try again",
                        Origin::infra);
    ::poll(nullptr, 0, 2);
  }
  return directory;
}

Result<> nobody_lives(const Journal& journal) {
  for (const JournalledProcess& process : journal.processes) {
    const Presence presence = presence_of(process.identity);
    if (presence == Presence::gone) continue;
    std::string what = fmt::format("process {} ({}) {}", process.identity.pid, process.role,
                                   presence == Presence::present ? "lives" : "may live");
    if (journal.connection) what += fmt::format(", FUSE connection {}", *journal.connection);
    return fail(std::move(what), Origin::infra);
  }
  return {};
}

// The journal goes when there is nothing left that it would be needed for. The rmdir of the mount
// point is the proof that nothing is mounted there.
Result<> remove_run(const std::string& directory, const Journal& journal) {
  const std::string kept = fmt::format("directory {}: kept with its journal: ", directory);
  if (auto ended = nobody_lives(journal); !ended)
    return fail(kept + ended.error().what, Origin::infra);
  const std::string mount_point = directory + "/mnt";
  if (::rmdir(mount_point.c_str()) != 0 && errno != ENOENT)
    return fail_errno(kept + "remove " + mount_point, errno, {}, Origin::infra);
  ::unlink((directory + "/journal").c_str());
  if (::rmdir(directory.c_str()) != 0 && errno != ENOENT)
    return fail_errno("remove " + directory, errno, {}, Origin::infra);
  return {};
}

bool abort_leftover(const std::string& mount_point, std::vector<std::string>& told) {
  const auto target = find_fuse_target(mount_point);
  if (!target)
    told.push_back(
        fmt::format("cannot tell whether {} is mounted: {}", mount_point, target.error().what));
  if (!target || !*target) return false;
  const int failed = abort_fuse_target(**target);
  const std::uint32_t number = (*target)->connection;
  told.push_back(failed == 0
                     ? fmt::format("aborted FUSE connection {} of an earlier run", number)
                     : fmt::format("could not abort FUSE connection {} of an earlier run: {}",
                                   number, std::strerror(failed)));
  return failed == 0;
}

// False when it may still live.
bool kill_leftover(const JournalledProcess& process, std::vector<std::string>& told) {
  if (presence_of(process.identity) == Presence::gone) return true;
  const Presence left = kill_process(process.identity, Deadline::in(kKillDeadline));
  const char* what = left == Presence::gone      ? "killed"
                     : left == Presence::present ? "could not kill"
                                                 : "cannot tell and did not kill";
  told.push_back(fmt::format("{} process {} ({}) of an earlier run", what, process.identity.pid,
                             process.role));
  return left == Presence::gone;
}

// The load before the service: where the abort failed, the end of the load frees the service.
bool kill_all(const Journal& journal, std::vector<std::string>& told) {
  bool all_gone = true;
  for (auto process = journal.processes.rbegin(); process != journal.processes.rend(); ++process)
    all_gone = kill_leftover(*process, told) && all_gone;
  return all_gone;
}

// What a process does as it dies, such as closing its files, may wait as well: then what was
// injected is lifted once more.
bool end_processes(const std::string& directory, const Journal& journal,
                   std::vector<std::string>& told) {
  std::vector<std::string> first;
  const bool all_gone = kill_all(journal, first);
  std::copy_if(first.begin(), first.end(), std::back_inserter(told),
               [](const std::string& line) { return line.starts_with("killed "); });
  if (all_gone) return true;
  UndoNotes ignored;
  lift_injections(directory, ignored);
  return kill_all(journal, told);
}

// False when it must be tried again.
bool remove_leftover(const ScratchDirectory& scratch, std::vector<std::string>& told) {
  const ScratchRemoval removal = remove_scratch(scratch);
  told.push_back(removal.end == ScratchEnd::removed
                     ? fmt::format("removed {} of an earlier run", scratch.path)
                     : removal.what);
  return removal.end != ScratchEnd::failed;
}

// Most were put back by whoever changed them: only what still is as we set it is told.
void put_back_leftover(const ChangedSetting& setting, std::vector<std::string>& told) {
  const auto done = put_back(setting);
  if (!done)
    told.push_back(fmt::format("could not set {} to {} again: {}", setting.path, setting.before,
                               done.error().what));
  else if (*done == PutBack::was_ours)
    told.push_back(fmt::format("set {} to {} again, which an earlier run had changed", setting.path,
                               setting.before));
}

void tell(const UndoNotes& notes, std::vector<std::string>& told) {
  for (const auto* lines : {&notes.done, &notes.failed})
    told.insert(told.end(), lines->begin(), lines->end());
}

void undo_run(const std::string& directory, const Journal& journal,
              std::vector<std::string>& told) {
  const std::string mount_point = directory + "/mnt";
  for (const ChangedSetting& setting : journal.settings) put_back_leftover(setting, told);
  // What was injected and the connection first: they free whatever waits, so that it can die.
  UndoNotes lifted;
  lift_injections(directory, lifted);
  tell(lifted, told);
  const bool aborted = abort_leftover(mount_point, told);
  const bool all_gone = end_processes(directory, journal, told);
  if (aborted || all_gone)
    if (auto detached = detach_fuse_targets(mount_point); !detached)
      told.push_back(detached.error().what);
  UndoNotes gone;
  remove_injections(directory, gone);
  tell(gone, told);
  // A process that still lives may be stuck in there: the file system is not touched then.
  for (const ScratchDirectory& scratch : journal.scratches)
    if (!all_gone || !remove_leftover(scratch, told))
      return told.push_back(fmt::format("directory {}: kept with its journal", directory));
  const auto removed = remove_run(directory, journal);
  told.push_back(removed ? "removed " + directory : removed.error().what);
}

void undo_if_orphaned(const std::string& directory, std::vector<std::string>& told) {
  const std::string path = directory + "/journal";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOTDIR) return;
  // Killed before it had a journal, or its journal was removed: the place itself is ours.
  if (!file.valid() && errno == ENOENT) return undo_run(directory, {}, told);
  if (file.valid() && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;  // its controller lives
  const auto journal = read_file(path, 1U << 20U);
  if (journal) return undo_run(directory, parse_journal(*journal), told);
  told.push_back(fmt::format("directory {}: not undone: {}", directory, journal.error().what));
}

}  // namespace

std::string runtime_directory() {
  if (::geteuid() == 0) return kRuntimeDirectory;
  const char* const own = std::getenv("XDG_RUNTIME_DIR");
  if (own != nullptr && own[0] == '/') return std::string(own) + "/stallproof";
  return fmt::format("/tmp/stallproof-{}", ::geteuid());
}

Result<UndoJournal> UndoJournal::create(const std::string& run_id, const std::string& runtime) {
  // A root with nothing in it has not even /run.
  if (auto made = make_directories(runtime.substr(0, runtime.rfind('/'))); !made)
    return Failure(made.error());
  const auto lock = lock_runtime(runtime);
  if (!lock) return Failure(lock.error());
  UndoJournal journal;
  journal.runtime_ = runtime;
  journal.directory_ = runtime + "/" + run_id;
  if (auto made = make_directories(journal.directory_); !made) return Failure(made.error());
  const std::string path = journal.directory_ + "/journal";
  journal.file_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!journal.file_.valid()) return fail_errno("create " + path, errno, "is /run writable?");
  if (::flock(journal.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail_errno("lock " + path, errno);
  // A full /run shows now, before there is anything to undo.
  const std::string first = "run " + run_id + "\n";
  if (::write(journal.file_.get(), first.data(), first.size()) !=
      static_cast<ssize_t>(first.size()))
    return fail("write " + path + ": no space left (free some on /run)");
  if (::mkdir(journal.mount_point().c_str(), 0755) != 0)
    return fail_errno("create " + journal.mount_point(), errno);
  return journal;
}

void UndoJournal::append(const std::string& line) {
  [[maybe_unused]] const ssize_t n = ::write(file_.get(), line.data(), line.size());
}

void UndoJournal::note_process(std::string_view role, pid_t pid) {
  append(fmt::format("process {} {} {}\n", role, pid, identify_process(pid).start_ticks));
}

void UndoJournal::note_connection(std::uint32_t number) {
  append(fmt::format("connection {}\n", number));
}

void UndoJournal::note_setting(const ChangedSetting& setting) {
  append(fmt::format("setting {} {} {}\n", setting.path, setting.before, setting.ours));
}

void UndoJournal::note_scratch(const ScratchDirectory& scratch) {
  append(fmt::format("{} {} {} {}\n",
                     scratch.mark.empty() ? "scratch" : "shared-scratch " + scratch.mark,
                     scratch.device_major, scratch.device_minor, scratch.path));
  scratches_.push_back(scratch);
}

std::vector<std::string> UndoJournal::remove_scratches() {
  std::vector<std::string> left;
  std::vector<ScratchDirectory> again;
  for (const ScratchDirectory& scratch : scratches_) {
    const ScratchRemoval removal = remove_scratch(scratch);
    if (removal.end != ScratchEnd::removed) left.push_back(removal.what);
    if (removal.end == ScratchEnd::failed) again.push_back(scratch);
  }
  scratches_ = std::move(again);
  return left;
}

Result<> UndoJournal::finish() {
  if (!scratches_.empty())
    return fail(fmt::format("directory {}: kept with its journal: {} is not removed yet "
                            "(the next start tries again)",
                            directory_, scratches_.front().path),
                Origin::infra);
  const auto lock = lock_runtime(runtime_);
  if (!lock) return Failure(lock.error());
  const auto journal = read_file(directory_ + "/journal", 1U << 20U);
  if (!journal) return Failure(journal.error());
  if (auto removed = remove_run(directory_, parse_journal(*journal)); !removed) return removed;
  ::rmdir(runtime_.c_str());  // stays while other runs use it
  return {};
}

std::vector<std::string> undo_leftovers(const std::string& runtime) {
  std::vector<std::string> told;
  if (::access(runtime.c_str(), F_OK) != 0) return told;
  const auto lock = lock_runtime(runtime);
  if (!lock) return {"nothing undone: " + lock.error().what};
  DIR* const directory = ::opendir(runtime.c_str());
  if (directory == nullptr) return told;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    undo_if_orphaned(runtime + "/" + entry->d_name, told);
  }
  ::closedir(directory);
  ::rmdir(runtime.c_str());
  return told;
}

}  // namespace stallproof
