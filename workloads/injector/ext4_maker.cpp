// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/ext4_maker.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/base/clock.h"

namespace stallproof {
namespace {

// Where a user's PATH may not lead.
constexpr std::array kMakers{"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"};
constexpr int kNoMaker = 127;
constexpr Nanos kMakeWithin = 10 * kSecond;

// The whole of it at once: no kernel thread goes on making it while it is under test.
[[noreturn]] void become_maker(int image) {
  const std::string path = fmt::format("/proc/self/fd/{}", image);
  const char* const maker = ::access(kMakers[0], X_OK) == 0 ? kMakers[0] : kMakers[1];
  ::execl(maker, "mkfs.ext4", "-q", "-F", "-m", "0", "-E",
          "nodiscard,lazy_itable_init=0,lazy_journal_init=0", path.c_str(), nullptr);
  ::_exit(kNoMaker);
}

// How it ended; -1: it did not.
int ended_by(pid_t pid, Deadline deadline) {
  for (int status = 0; !deadline.passed(); ::poll(nullptr, 0, 1))
    if (::waitpid(pid, &status, WNOHANG) == pid) return status;
  ::kill(pid, SIGKILL);
  return -1;
}

}  // namespace

Result<> make_ext4(const Fd& image) {
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork", errno, {}, Origin::infra);
  if (pid == 0) become_maker(image.get());
  const int status = ended_by(pid, Deadline::in(kMakeWithin));
  if (status == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMaker)
    return fail("mkfs.ext4 is not there (install e2fsprogs)", Origin::lacking);
  return fail("mkfs.ext4 of an image in memory did not work", Origin::infra);
}

}  // namespace stallproof
