// SPDX-License-Identifier: Apache-2.0
#include "workloads/testing/experiment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/base/process.h"
#include "workloads/ffs/ffs_role.h"
#include "workloads/ffs/pattern.h"
#include "workloads/worker_role.h"

namespace stallproof {
namespace {

constexpr Nanos kReadyWithin = 5 * kSecond;
constexpr Nanos kExitWithin = 4 * kSecond;

using Role = int (*)(const std::vector<std::string>&);

pid_t fork_role(Role role, const std::vector<std::string>& words) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::_exit(role(words));
}

std::optional<int> reap_by(pid_t pid, Deadline deadline) {
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) != pid) {
    if (deadline.passed()) return std::nullopt;
    ::poll(nullptr, 0, 2);
  }
  return status;
}

Result<pid_t> start_role(Role role, std::vector<std::string> words) {
  auto pipe = Pipe::create();
  if (!pipe) return Failure{pipe.error()};
  words.push_back(fmt::format("ready={}", pipe->write_end.get()));
  const pid_t pid = fork_role(role, words);
  if (pid < 0) return fail_errno("fork", errno);
  pipe->write_end.reset();
  const auto ready = wait_ready(pipe->read_end, words.front(), Deadline::in(kReadyWithin));
  if (ready) return pid;
  ::kill(pid, SIGKILL);
  reap_by(pid, Deadline::in(kSecond));
  return Failure{ready.error()};
}

// In a process of its own: umount(2) of a dead file system may hang.
void force_unmount(const std::string& directory) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::umount2(directory.c_str(), MNT_FORCE) != 0) ::umount2(directory.c_str(), MNT_DETACH);
    ::_exit(0);
  }
  if (!reap_by(pid, Deadline::in(2 * kSecond))) ::kill(pid, SIGKILL);
}

bool mounted(const std::string& directory) {
  const auto mounts = read_file("/proc/self/mountinfo");
  return !mounts || mounts->find(directory) != std::string::npos;
}

std::string field_of(const std::string& status, const std::string& key) {
  const auto start = status.find(key);
  if (start == std::string::npos) return {};
  const auto value = start + key.size();
  return status.substr(value, status.find('\n', value) - value);
}

// Forgets the pid once reaped: it may belong to somebody else from then on.
std::string end_of(const char* who, pid_t& pid, Deadline deadline) {
  const auto status = reap_by(pid, deadline);
  if (!status) return fmt::format("{} did not exit; ", who);
  pid = -1;
  return *status == 0 ? "" : fmt::format("{}: {}; ", who, describe_status(*status));
}

Result<> fill_tree_file(const std::string& path, std::uint64_t size) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid()) return fail_errno("make " + path, errno);
  std::vector<std::byte> chunk(1U << 20U);
  for (std::uint64_t offset = 0; offset < size; offset += chunk.size()) {
    fill_pattern(offset, chunk);
    if (::pwrite(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(chunk.size()))
      return fail_errno("fill " + path, errno);
  }
  if (::fsync(file.get()) != 0) return fail_errno("fsync " + path, errno);
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

}  // namespace

void sleep_for(Nanos span) {
  const Deadline deadline = Deadline::in(span);
  while (!deadline.passed()) ::poll(nullptr, 0, deadline.poll_ms());
}

std::optional<std::string> experiment_unsupported() {
  if (::geteuid() != 0) return "mounting needs root";
  if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse is missing (modprobe fuse)";
  return std::nullopt;
}

Result<std::unique_ptr<Experiment>> Experiment::start(const Plan& plan) {
  std::unique_ptr<Experiment> made(new Experiment);
  std::vector<Board::LoadSpec> loads;
  const Board::LoadSpec all[] = {{"direct-read", plan.direct_readers},
                                 {"mapped-fault", plan.faulters},
                                 {"mprotect-storm", plan.writers}};
  for (const Board::LoadSpec& load : all)
    if (load.threads > 0) loads.push_back(load);
  auto board = Board::create(loads, plan.seed);
  if (!board) return Failure{board.error()};
  made->board_ = std::move(*board);
  if (const auto started = made->start_processes(plan); !started) return Failure{started.error()};
  made->board_.set_phase(Phase::run);
  return made;
}

Result<> Experiment::start_processes(const Plan& plan) {
  char pattern[] = "/tmp/stallproof-ffs-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) return fail_errno("mkdtemp", errno);
  directory_ = pattern;
  const std::string board_word = fmt::format("board={}", board_.fd());
  std::vector<std::string> words{board_word, "mount=" + directory_};
  words.insert(words.end(), plan.ffs_words.begin(), plan.ffs_words.end());
  const auto ffs = start_role(run_ffs_role, words);
  if (!ffs) return Failure{ffs.error()};
  ffs_pid_ = *ffs;
  std::string file = directory_ + "/data";
  if (plan.tree_file > 0) {
    file = directory_ + "/tree-file";
    if (const auto made = fill_tree_file(file, plan.tree_file); !made) return Failure{made.error()};
  }
  words = {board_word, "file=" + file};
  words.insert(words.end(), plan.worker_words.begin(), plan.worker_words.end());
  const auto worker =
      start_role(plan.worker_role != nullptr ? plan.worker_role : run_worker_role, words);
  if (!worker) return Failure{worker.error()};
  worker_pid_ = *worker;
  return {};
}

Experiment::~Experiment() { force_clean(); }

void Experiment::arm(Behaviour behaviour) {
  panel().armed_ns.store(monotonic_now());
  panel().behaviour.store(static_cast<std::uint32_t>(behaviour));
}

std::vector<const BoardSlot*> Experiment::slots_of(const std::vector<std::string>& loads) const {
  std::vector<const BoardSlot*> slots;
  for (const LoadEntry& load : board_.loads()) {
    if (!loads.empty() && std::find(loads.begin(), loads.end(), load.name) == loads.end()) continue;
    for (const BoardSlot& slot : board_.slots_of(load)) slots.push_back(&slot);
  }
  return slots;
}

Nanos Experiment::last_completion(const std::vector<std::string>& loads) {
  Nanos newest = 0;
  for (const BoardSlot* slot : slots_of(loads))
    newest = std::max(newest, slot->last_done_ns.load());
  return newest;
}

Nanos Experiment::armed_to_last_completion() {
  const Nanos armed = panel().armed_ns.load();
  const Nanos last = last_completion();
  return last > armed ? last - armed : 0;
}

bool Experiment::stalled_by(Deadline deadline, const std::vector<std::string>& loads,
                            Nanos silence) {
  while (!deadline.passed()) {
    bool in_flight = false;
    for (const BoardSlot* slot : slots_of(loads)) in_flight |= slot->op_started_ns.load() != 0;
    const Nanos last = last_completion(loads);
    if (in_flight && last != 0 && monotonic_now() > last + silence) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

std::uint64_t Experiment::ops_of(std::string_view load) {
  std::uint64_t sum = 0;
  for (const BoardSlot& slot : board_.slots_of(*board_.find_load(load))) sum += slot.ops.load();
  return sum;
}

std::uint64_t Experiment::mismatches() {
  std::uint64_t sum = 0;
  for (const BoardSlot& slot : board_.slots()) sum += slot.mismatches.load();
  return sum;
}

std::map<std::string, char> Experiment::ffs_thread_states() const {
  std::map<std::string, char> states;
  const std::string tasks = fmt::format("/proc/{}/task", ffs_pid_);
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    const auto status = read_file(task.path() / "status");
    if (!status) continue;
    const std::string name = field_of(*status, "Name:\t");
    const std::string state = field_of(*status, "State:\t");
    if (!state.empty()) states[name] = state.front();
  }
  return states;
}

bool Experiment::kill_worker_by(Deadline deadline) {
  ::kill(worker_pid_, SIGKILL);
  if (!reap_by(worker_pid_, deadline)) return false;
  worker_pid_ = -1;
  return true;
}

bool Experiment::ffs_ended_by(Deadline deadline) {
  if (reap_by(ffs_pid_, deadline) != 0) return false;
  ffs_pid_ = -1;
  return true;
}

void Experiment::terminate_ffs() { ::kill(ffs_pid_, SIGTERM); }

bool Experiment::heal() {
  const Nanos before = last_completion();
  force_unmount(directory_);
  const Deadline deadline = Deadline::in(kSecond);
  while (!deadline.passed()) {
    if (last_completion() > before) return true;
    ::poll(nullptr, 0, 2);
  }
  return false;
}

std::string Experiment::finish() {
  std::string wrong;
  board_.set_phase(Phase::stop);
  if (worker_pid_ > 0) wrong += end_of("worker", worker_pid_, Deadline::in(kExitWithin));
  if (ffs_pid_ > 0) {
    terminate_ffs();
    wrong += end_of("ffs", ffs_pid_, Deadline::in(kSecond));
  }
  if (mounted(directory_)) wrong += directory_ + " is still mounted; ";
  force_clean();
  return wrong;
}

void Experiment::force_clean() {
  if (directory_.empty()) return;
  if (mounted(directory_)) force_unmount(directory_);
  for (pid_t* pid : {&worker_pid_, &ffs_pid_}) {
    if (*pid <= 0) continue;
    ::kill(*pid, SIGKILL);
    reap_by(*pid, Deadline::in(2 * kSecond));
    *pid = -1;
  }
  ::rmdir(directory_.c_str());
  directory_.clear();
}

}  // namespace stallproof
