// SPDX-License-Identifier: Apache-2.0
// Ending and healing. Order matters: the connection abort answers every request with an error and
// lets everybody go; killing the worker lets the killable writer leave the queue; killing the
// service alone heals nothing, its threads wait uninterruptibly for the lock.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include "harness/base/file.h"
#include "harness/run/lab.h"

namespace stallproof {
namespace {

constexpr Nanos kAfterAbort = 400 * kMillisecond;
constexpr Nanos kHealthyExit = 3 * kSecond;
constexpr Nanos kAfterKill = 2 * kSecond;

}  // namespace

Lab::Ending Lab::end(bool stalled) {
  Ending ending;
  ending.asked_ns = monotonic_now();
  command_watchdog(WatchCommand::end_load);
  board_.set_phase(Phase::stop);
  const bool worker_gone = end_worker(stalled, ending);
  end_ffs(ending);
  if (!worker_gone && worker_.pid() > 0 && !worker_.reap_by(Deadline::in(kAfterKill)))
    ending.left_behind.push_back(fmt::format("worker process {} (unkillable)", worker_.pid()));
  remove_mount(ending);
  if (ending.left_behind.empty()) ending.healed_ns = monotonic_now();
  end_watchdog(ending);
  if (!journal_.finish())
    ending.left_behind.push_back(fmt::format("directory {}", journal_.directory()));
  return ending;
}

bool Lab::end_worker(bool stalled, Ending& ending) {
  if (worker_.pid() <= 0) return true;
  if (!stalled && worker_.reap_by(Deadline::in(kHealthyExit))) return true;
  if (!target_.mount_point.empty()) {
    const int failed = abort_fuse_target(target_);
    ending.healed_by =
        failed == 0 ? "FUSE connection abort"
                    : fmt::format("kill (connection abort failed: {})", std::strerror(failed));
  }
  if (worker_.reap_by(Deadline::in(kAfterAbort))) return true;
  worker_.signal(SIGKILL);
  if (stalled) ending.healed_by += ", then SIGKILL of the worker";
  return worker_.reap_by(Deadline::in(kAfterAbort)).has_value();
}

void Lab::end_ffs(Ending& ending) {
  if (ffs_.pid() <= 0) return;
  ffs_.signal(SIGTERM);
  if (ffs_.reap_by(Deadline::in(kAfterAbort))) return;
  if (!target_.mount_point.empty()) abort_fuse_target(target_);
  if (ffs_.reap_by(Deadline::in(kAfterAbort))) return;
  ffs_.signal(SIGKILL);
  if (!ffs_.reap_by(Deadline::in(kAfterKill)))
    ending.left_behind.push_back(fmt::format("ffs process {} (unkillable)", ffs_.pid()));
}

void Lab::remove_mount(Ending& ending) {
  const std::string mount_point = journal_.mount_point();
  for (int again = 0; again < 4 && find_fuse_target(mount_point); ++again)
    detach_mount(mount_point);
  if (find_fuse_target(mount_point))
    ending.left_behind.push_back(fmt::format("mount {}", mount_point));
}

void Lab::end_watchdog(Ending& ending) {
  if (watchdog_.pid() <= 0) return;
  command_watchdog(WatchCommand::quit);
  if (watchdog_.reap_by(Deadline::in(kSecond))) return;
  watchdog_.signal(SIGKILL);
  if (!watchdog_.reap_by(Deadline::in(kAfterKill)))
    ending.left_behind.push_back(fmt::format("watchdog process {} (unkillable)", watchdog_.pid()));
}

}  // namespace stallproof
