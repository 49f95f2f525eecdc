// SPDX-License-Identifier: Apache-2.0
// Ending and healing. What was injected is undone first. Then the order matters: the connection
// abort answers every request with an error and lets everybody go; killing the worker lets the
// killable writer leave the queue; killing the service alone heals nothing, its threads wait
// uninterruptibly for the lock.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/run/lab.h"
#include "harness/run/undo_injection.h"

namespace stallproof {
namespace {

constexpr Nanos kAfterAbort = 400 * kMillisecond;
constexpr Nanos kHealthyExit = 3 * kSecond;
constexpr Nanos kAfterHealing = 1500 * kMillisecond;
constexpr Nanos kAfterKill = 2 * kSecond;
constexpr Nanos kDisarm = 500 * kMillisecond;
constexpr int kQuietMs = 20;

bool has_ended(const Child& child) { return child.pid() <= 0 || child.reaped(); }

}  // namespace

Lab::Ending Lab::end(bool stalled) {
  Ending ending;
  ending.asked_ns = monotonic_now();
  if (own_watchdog_) own_watchdog_->command(WatchCommand::end_load);
  if (!stalled && arming_ == Arming::misbehaviour) disarm();
  board_.set_phase(Phase::stop);
  heal(ending);
  const bool worker_gone = end_worker(stalled, ending);
  end_injector(stalled, ending);
  end_ffs(stalled, ending);
  if (!worker_gone && !worker_.reap_by(Deadline::in(kAfterKill)))
    ending.left_behind.push_back(fmt::format("worker process {} (unkillable)", worker_.pid()));
  remove_mount(ending);
  if (ending.left_behind.empty()) ending.healed_ns = monotonic_now();
  forget_children();
  if (own_watchdog_)
    if (const std::string stuck = own_watchdog_->end(); !stuck.empty())
      ending.left_behind.push_back(stuck);
  if (auto finished = journal_.finish(); !finished)
    ending.left_behind.push_back(finished.error().what);
  return ending;
}

// Another run's watchdog watches on when this lab is gone.
void Lab::forget_children() {
  if (own_watchdog_) return;
  for (const Child* const child : {&ffs_, &injector_, &worker_})
    if (child->pid() > 0) watchdog_->forget_process(child->pid());
  watchdog_->forget_connection(target_.connection);
}

// A load that ends frees memory, which takes mmap_lock for write: with a second-try read open that
// closes the very circle that a fix or --fix no-writer keeps open. So the service behaves first.
void Lab::disarm() {
  const ServicePanel& service = board_.header().service;
  undo();
  const auto open = [&service] {
    return std::any_of(service.open_hazards.begin(), service.open_hazards.end(),
                       [](const OpenHazard& hazard) { return hazard.tid.load() != 0; });
  };
  // A first try answered just before may still come back for its second.
  const Deadline deadline = Deadline::in(kDisarm);
  for (int quiet_ms = 0; quiet_ms < kQuietMs && !deadline.passed(); ++quiet_ms) {
    if (open()) quiet_ms = 0;
    ::poll(nullptr, 0, 1);
  }
}

// What can be undone gently, so that the loads go on and end by themselves.
void Lab::heal(Ending& ending) {
  switch (arming_) {
    case Arming::misbehaviour:
      return;
    case Arming::load_itself:
      ending.healed_by = "ending the load";
      return;
    case Arming::stop_service:
    case Arming::nap_service:
      undo();
      ending.healed_by = "SIGCONT of the service";
      return;
    case Arming::stop_worker:
      undo();
      ending.healed_by = "SIGCONT of the load";
      return;
    case Arming::injection:
      if (injector_.pid() <= 0) return;
      undo();
      if (!has_ended(injector_) && wait_for_step(board_.header().injector, InjectorStep::healed,
                                                 Deadline::in(kAfterHealing))) {
        ending.healed_by = "undoing the injection";
      } else {
        UndoNotes ignored;
        lift_injections(journal_.directory(), ignored);
        ending.healed_by = "undoing the injection from outside";
      }
      return;
  }
}

void Lab::end_injector(bool stalled, Ending& ending) {
  if (injector_.pid() <= 0) return;
  injector_.signal(SIGTERM);
  auto status = injector_.reap_by(Deadline::in(kHealthyExit));
  if (status && *status == 0) return;
  if (!status) {
    injector_.signal(SIGKILL);
    status = injector_.reap_by(Deadline::in(kAfterKill));
  }
  if (!status)
    ending.left_behind.push_back(fmt::format("injector process {} (unkillable)", injector_.pid()));
  else if (!stalled)
    ending.irregular.push_back("injector process: " + describe_status(*status));
  UndoNotes notes;
  lift_injections(journal_.directory(), notes);
  remove_injections(journal_.directory(), notes);
  for (const std::string& line : notes.failed) ending.left_behind.push_back(line);
  const std::string problem = injector_problem();
  if (!problem.empty()) ending.irregular.push_back("injector: " + problem);
}

// Also where ffs mounted and never became ready. Returns 0 or an errno.
int Lab::abort_connection() {
  if (target_.mount_point.empty()) {
    const auto found = find_fuse_target(journal_.mount_point());
    if (!found) return EIO;
    if (!*found) return ENOTCONN;
    target_ = **found;
    journal_.note_connection(target_.connection);
  }
  const int failed = abort_fuse_target(target_);
  aborted_ = aborted_ || failed == 0;
  return failed;
}

bool Lab::end_worker(bool stalled, Ending& ending) {
  if (worker_.pid() <= 0) return true;
  const bool healed = !ending.healed_by.empty();
  if (!stalled || healed) {
    if (const auto status = worker_.reap_by(Deadline::in(stalled ? kAfterHealing : kHealthyExit))) {
      if (*status != 0) ending.irregular.push_back("worker process: " + describe_status(*status));
      return true;
    }
  }
  if (ffs_.pid() <= 0) return kill_worker(stalled, ending);
  const int failed = abort_connection();
  std::string irregular =
      fmt::format("the load did not stop by itself within {}: FUSE connection {}",
                  format_duration(kHealthyExit), failed == 0 ? "aborted" : "could not be aborted");
  if (healed) ending.healed_by += ", then ";
  ending.healed_by +=
      failed == 0 ? "FUSE connection abort"
                  : fmt::format("kill (connection abort failed: {})", std::strerror(failed));
  bool gone = worker_.reap_by(Deadline::in(kAfterAbort)).has_value();
  if (!gone) {
    worker_.signal(SIGKILL);
    if (stalled) ending.healed_by += ", then SIGKILL of the worker";
    irregular += ", then the worker was killed";
    gone = worker_.reap_by(Deadline::in(kAfterAbort)).has_value();
  }
  if (!stalled) ending.irregular.push_back(irregular);
  return gone;
}

// Nothing else is left to let it go by.
bool Lab::kill_worker(bool stalled, Ending& ending) {
  worker_.signal(SIGKILL);
  if (!ending.healed_by.empty()) ending.healed_by += ", then ";
  ending.healed_by += "SIGKILL of the worker";
  if (!stalled)
    ending.irregular.push_back(
        fmt::format("the load did not stop by itself within {}: the worker was killed",
                    format_duration(kHealthyExit)));
  return worker_.reap_by(Deadline::in(kAfterAbort)).has_value();
}

void Lab::end_ffs(bool stalled, Ending& ending) {
  if (ffs_.pid() <= 0) return;
  const Nanos patience = stalled ? kAfterAbort : kHealthyExit;
  ffs_.signal(SIGCONT);  // a stopped one does not hear
  ffs_.signal(SIGTERM);
  auto status = ffs_.reap_by(Deadline::in(patience));
  const bool by_itself = status.has_value();
  if (!by_itself) {
    abort_connection();
    status = ffs_.reap_by(Deadline::in(kAfterAbort));
  }
  if (!status) {
    ffs_.signal(SIGKILL);
    status = ffs_.reap_by(Deadline::in(kAfterKill));
  }
  if (!status) ending.left_behind.push_back(fmt::format("ffs process {} (unkillable)", ffs_.pid()));
  if (stalled || (by_itself && *status == 0)) return;
  ending.irregular.push_back(fmt::format("ffs process: {}{}",
                                         by_itself ? "" : "did not stop by itself: ",
                                         status ? describe_status(*status) : "unkillable"));
}

void Lab::remove_mount(Ending& ending) {
  const std::string mount_point = journal_.mount_point();
  if (aborted_ || (has_ended(worker_) && has_ended(ffs_))) {
    if (auto detached = detach_fuse_targets(mount_point); !detached)
      ending.left_behind.push_back(detached.error().what);
    return;
  }
  // It stays within reach: a detached connection has no path to abort it by.
  const auto target = find_fuse_target(mount_point);
  if (!target) ending.left_behind.push_back("mount " + mount_point + ": " + target.error().what);
  if (!target || !*target) return;
  ending.left_behind.push_back(
      fmt::format("mount {}: FUSE connection {} could not be aborted (echo 1 > "
                  "/sys/fs/fuse/connections/{}/abort, or umount -f)",
                  mount_point, (*target)->connection, (*target)->connection));
}

}  // namespace stallproof
