// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watchdog_child.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <cmath>

#include "harness/base/sealed_program.h"
#include "harness/detect/target_progress.h"

namespace stallproof {
namespace {

constexpr Nanos kReadyWithin = 15 * kSecond;
constexpr Nanos kAfterKill = 2 * kSecond;

std::string nanoseconds(Nanos span) { return fmt::format("{}ns", span); }

// As the role reads them.
void add_thresholds(const Thresholds& thresholds, const std::string& of, Settings& words) {
  words.set("stall-after" + of, nanoseconds(thresholds.stall_after));
  words.set("fail-after" + of, nanoseconds(thresholds.fail_after));
  words.set("dropout-below-ppm" + of, std::to_string(std::lround(thresholds.dropout_below * 1e6)));
}

void note_left_out(DetectorSet without, EvidenceArea& area) {
  std::string names;
  for (const DetectorInfo& detector : kDetectors)
    if (has_detector(without, detector.name))
      names += fmt::format("{}{}", names.empty() ? "" : ", ", detector.name);
  names.copy(area.left_out.data(), area.left_out.size() - 1);
}

}  // namespace

Result<> start_role(Child& child, const char* role, Settings words, const std::vector<int>& keep,
                    const std::function<void(pid_t)>& noted, Nanos within, int program) {
  auto ready = Pipe::create();
  if (!ready) return Failure(ready.error());
  words.set("ready", std::to_string(ready->write_end.get()));
  std::vector<int> inherited = keep;
  inherited.push_back(ready->write_end.get());
  auto spawned = Child::spawn(role, words.words(), inherited, program);
  if (!spawned) return Failure(spawned.error());
  child = std::move(*spawned);
  if (noted) noted(child.pid());
  ready->write_end.reset();
  auto up = wait_ready(ready->read_end, role, Deadline::in(within));
  if (up) return {};
  child.signal(SIGKILL);
  child.reap_by(Deadline::in(kSecond));
  return up;
}

Result<WatchdogChild> WatchdogChild::create() {
  auto evidence = Evidence::create();
  if (!evidence) return Failure(evidence.error());
  WatchdogChild made;
  made.evidence_ = std::move(*evidence);
  return made;
}

Result<> WatchdogChild::start(const Setup& setup) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair", errno, {}, Origin::infra);
  channel_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  std::vector<int> keep{evidence_.fd(), theirs.get()};
  Settings words;
  words.set("evidence", std::to_string(evidence_.fd()));
  words.set("channel", std::to_string(theirs.get()));
  add_thresholds(setup.thresholds, "", words);
  for (const OwnThresholds& own : setup.own)
    add_thresholds(own.thresholds, fmt::format(".{}", own.load), words);
  if (setup.canary) {
    add_thresholds(*setup.canary, fmt::format(".{}", kCanaryRow), words);
    words.set("canary-row", "yes");
  }
  words.set("without", std::to_string(setup.thresholds.without));
  note_left_out(setup.thresholds.without, evidence_.area());
  if (setup.board_fd >= 0) {
    words.set("board", std::to_string(setup.board_fd));
    keep.push_back(setup.board_fd);
  }
  if (setup.canary_fd >= 0) {
    words.set("canary-board", std::to_string(setup.canary_fd));
    keep.push_back(setup.canary_fd);
  }
  // Where there is no such copy it runs from its file, and says so itself (protection_problem).
  const auto program = seal_copy_of_program();
  return start_role(child_, "watchdog", words, keep, setup.noted, kReadyWithin,
                    program ? program->get() : -1);
}

bool WatchdogChild::watch_process(pid_t pid, Whose whose) {
  for (WatchedProcess& entry : evidence_.area().watched) {
    if (entry.tgid.load(std::memory_order_relaxed) != 0) continue;
    entry.seen_ns.store(0, std::memory_order_relaxed);
    entry.canary.store(whose == Whose::canary ? 1 : 0, std::memory_order_release);
    entry.tgid.store(pid, std::memory_order_release);
    return true;
  }
  return false;
}

void WatchdogChild::forget_process(pid_t pid) {
  for (WatchedProcess& entry : evidence_.area().watched)
    if (entry.tgid.load(std::memory_order_relaxed) == pid)
      entry.tgid.store(0, std::memory_order_relaxed);
}

void WatchdogChild::watch_connection(std::uint32_t number) {
  for (auto& entry : evidence_.area().watched_fuse) {
    const std::uint32_t known = entry.load(std::memory_order_relaxed);
    if (known == number) return;
    if (known != 0) continue;
    entry.store(number, std::memory_order_release);
    return;
  }
}

void WatchdogChild::forget_connection(std::uint32_t number) {
  for (auto& entry : evidence_.area().watched_fuse)
    if (number != 0 && entry.load(std::memory_order_relaxed) == number)
      entry.store(0, std::memory_order_release);
}

void WatchdogChild::command(WatchCommand command) const {
  if (channel_.valid())
    ::send(channel_.get(), &command, sizeof command, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::optional<WatchEvent> WatchdogChild::next_event() const {
  WatchEvent event{};
  const ssize_t n = ::recv(channel_.get(), &event, sizeof event, MSG_DONTWAIT);
  if (n != static_cast<ssize_t>(sizeof event)) return std::nullopt;
  return event;
}

std::string WatchdogChild::end() {
  if (child_.pid() <= 0) return {};
  command(WatchCommand::quit);
  if (child_.reap_by(Deadline::in(kSecond))) return {};
  child_.signal(SIGKILL);
  if (child_.reap_by(Deadline::in(kAfterKill))) return {};
  return fmt::format("watchdog process {} (unkillable)", child_.pid());
}

}  // namespace stallproof
