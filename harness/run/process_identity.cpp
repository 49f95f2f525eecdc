// SPDX-License-Identifier: Apache-2.0
#include "harness/run/process_identity.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>
#include <vector>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr Nanos kReadDeadline = kSecond;

struct StatFields {
  bool ended = false;
  unsigned long long start_ticks = 0;
};

std::optional<StatFields> read_stat(pid_t pid) {
  const auto stat =
      read_file_bounded(fmt::format("/proc/{}/stat", pid), Deadline::in(kReadDeadline));
  if (!stat) return std::nullopt;
  // The command may hold spaces and brackets: fields count from the last ')', the next is the
  // third.
  std::istringstream text(stat->substr(stat->rfind(')') + 1));
  std::vector<std::string> fields(3);
  for (std::string word; text >> word;) fields.push_back(word);
  if (fields.size() <= 22) return std::nullopt;
  // The leader of stuck threads is a zombie as well.
  const bool zombie = fields[3] == "Z" || fields[3] == "X";
  return StatFields{.ended = zombie && std::strtoul(fields[20].c_str(), nullptr, 10) <= 1,
                    .start_ticks = std::strtoull(fields[22].c_str(), nullptr, 10)};
}

bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

// Readable when the whole thread group has ended.
bool ended_by(int pidfd, Deadline deadline) {
  pollfd item{pidfd, POLLIN, 0};
  int ready = 0;
  do ready = ::poll(&item, 1, deadline.poll_ms());
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

ProcessIdentity identify_process(pid_t pid) {
  const auto stat = read_stat(pid);
  return {.pid = pid, .start_ticks = stat ? stat->start_ticks : 0};
}

Presence presence_of(const ProcessIdentity& process) {
  if (process.pid <= 0 || !exists(process.pid)) return Presence::gone;
  const auto stat = read_stat(process.pid);
  if (!stat) return exists(process.pid) ? Presence::unknown : Presence::gone;
  if (stat->ended) return Presence::gone;
  if (process.start_ticks == 0) return Presence::unknown;
  return stat->start_ticks == process.start_ticks ? Presence::present : Presence::gone;
}

Presence kill_process(const ProcessIdentity& process, Deadline deadline) {
  // Opened before the check: from here on the descriptor means one process, whoever has the pid.
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0U)));
  const Presence found = presence_of(process);
  if (found != Presence::present) return found;
  if (pidfd.valid()) {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0U);
    return ended_by(pidfd.get(), deadline) ? Presence::gone : Presence::present;
  }
  ::kill(process.pid, SIGKILL);
  Presence left = Presence::present;
  while ((left = presence_of(process)) != Presence::gone && !deadline.passed())
    ::poll(nullptr, 0, std::min(deadline.poll_ms(), 5));
  return left;
}

}  // namespace stallproof
