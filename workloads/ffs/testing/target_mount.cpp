// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/testing/target_mount.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/base/file.h"
#include "harness/base/process.h"
#include "harness/base/testing/tree_places.h"

namespace stallproof {
namespace {

constexpr Nanos kMountedWithin = 5 * kSecond;
constexpr Nanos kEndedWithin = 3 * kSecond;

void run_target(int in, int out, const std::vector<std::string>& words) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  std::vector<std::string> kept{built_file("workloads/ffs_target")};
  kept.insert(kept.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : kept) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(kept.front().c_str(), arguments.data());
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<TargetMount>> TargetMount::start(const std::vector<std::string>& words) {
  std::unique_ptr<TargetMount> made(new TargetMount);
  char pattern[] = "/tmp/stallproof-tree-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) return fail_errno("mkdtemp", errno);
  made->directory_ = pattern;
  auto in = Pipe::create();
  auto out = Pipe::create();
  if (!in) return Failure{in.error()};
  if (!out) return Failure{out.error()};
  std::vector<std::string> all{"mount=" + made->directory_};
  all.insert(all.end(), words.begin(), words.end());
  made->pid_ = ::fork();
  if (made->pid_ == 0) run_target(in->read_end.get(), out->write_end.get(), all);
  if (made->pid_ < 0) return fail_errno("fork", errno);
  made->stdin_ = std::move(in->write_end);
  made->stdout_ = std::move(out->read_end);
  out->write_end.reset();
  if (!made->said_mount_by(Deadline::in(kMountedWithin)))
    return fail("ffs_target did not say that it is mounted");
  return made;
}

bool TargetMount::said_mount_by(Deadline deadline) const {
  std::string said;
  while (said.find("\"mount\"") == std::string::npos) {
    pollfd item{stdout_.get(), POLLIN, 0};
    if (deadline.passed() || ::poll(&item, 1, deadline.poll_ms()) <= 0) return false;
    char bytes[256];
    const ssize_t got = ::read(stdout_.get(), bytes, sizeof bytes);
    if (got <= 0) return false;
    said.append(bytes, static_cast<std::size_t>(got));
  }
  return true;
}

bool TargetMount::mounted() const {
  const auto mounts = read_file("/proc/self/mountinfo");
  return !mounts || mounts->find(directory_) != std::string::npos;
}

int TargetMount::reap_by(Deadline deadline) {
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (deadline.passed()) return -1;
    ::poll(nullptr, 0, 2);
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int TargetMount::end_by(Deadline deadline) {
  stdin_.reset();
  return reap_by(deadline);
}

bool TargetMount::kill_by(Deadline deadline) {
  ::kill(pid_, SIGKILL);
  return reap_by(deadline) >= 0;
}

TargetMount::~TargetMount() {
  if (pid_ > 0 && end_by(Deadline::in(kEndedWithin)) < 0) kill_by(Deadline::in(kEndedWithin));
  if (mounted()) ::umount2(directory_.c_str(), MNT_DETACH);
  ::rmdir(directory_.c_str());
}

}  // namespace stallproof
