// SPDX-License-Identifier: Apache-2.0
#include "harness/run/lab.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <cmath>

namespace stallproof {
namespace {

constexpr Nanos kStartDeadline = 15 * kSecond;

std::string milliseconds(Nanos span) { return fmt::format("{}ns", span); }

}  // namespace

Result<Lab> Lab::start(const LabPlan& plan, const Thresholds& thresholds,
                       const std::string& run_id) {
  std::vector<Board::LoadSpec> loads;
  for (const LabPlan::Load& load : plan.loads) loads.push_back({load.name, load.threads});
  auto board = Board::create(loads, plan.seed);
  if (!board) return Failure(board.error());
  auto evidence = Evidence::create();
  if (!evidence) return Failure(evidence.error());
  auto journal = UndoJournal::create(run_id);
  if (!journal) return Failure(journal.error());

  Lab lab(std::move(*board), std::move(*evidence), std::move(*journal));
  Result<> started = lab.start_watchdog(thresholds);
  if (started) started = lab.start_ffs(plan.ffs);
  if (started) started = lab.start_worker(plan.worker);
  if (started) return lab;
  Error error = started.error();
  for (const std::string& thing : lab.end(false).left_behind)
    error.what += "; left behind: " + thing;
  return Failure(std::move(error));
}

Result<> Lab::start_watchdog(const Thresholds& thresholds) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair", errno, {}, Origin::infra);
  channel_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  Settings words;
  words.set("evidence", std::to_string(evidence_.fd()));
  words.set("channel", std::to_string(theirs.get()));
  words.set("stall-after", milliseconds(thresholds.stall_after));
  words.set("fail-after", milliseconds(thresholds.fail_after));
  words.set("dropout-below-ppm", std::to_string(std::lround(thresholds.dropout_below * 1e6)));
  return start_child(watchdog_, "watchdog", words, {evidence_.fd(), theirs.get()});
}

Result<> Lab::start_ffs(const Settings& given) {
  Settings words = given;
  words.set("mount", journal_.mount_point());
  if (auto started = start_child(ffs_, "ffs", words, {}); !started) return started;
  const auto target = find_fuse_target(journal_.mount_point());
  if (!target) return Failure(target.error());
  if (!*target) return fail("start ffs: its mount is not in /proc/self/mountinfo", Origin::infra);
  target_ = **target;
  journal_.note_connection(target_.connection);
  watch_process(ffs_.pid());
  return {};
}

Result<> Lab::start_worker(const Settings& given) {
  Settings words = given;
  words.set("file", journal_.mount_point() + "/data");
  if (auto started = start_child(worker_, "worker", words, {}); !started) return started;
  watch_process(worker_.pid());
  return {};
}

Result<> Lab::start_child(Child& child, const char* role, Settings words,
                          const std::vector<int>& keep) {
  auto ready = Pipe::create();
  if (!ready) return Failure(ready.error());
  words.set("board", std::to_string(board_.fd()));
  words.set("ready", std::to_string(ready->write_end.get()));
  std::vector<int> inherited = keep;
  inherited.push_back(board_.fd());
  inherited.push_back(ready->write_end.get());
  auto spawned = Child::spawn(role, words.words(), inherited);
  if (!spawned) return Failure(spawned.error());
  child = std::move(*spawned);
  journal_.note_process(role, child.pid());
  ready->write_end.reset();
  auto up = wait_ready(ready->read_end, role, Deadline::in(kStartDeadline));
  if (up) return {};
  child.signal(SIGKILL);
  child.reap_by(Deadline::in(kSecond));
  return up;
}

void Lab::watch_process(pid_t pid) {
  if (watched_ < kWatchedMax)
    evidence_.area().watched_tgids[watched_++].store(pid, std::memory_order_relaxed);
}

Nanos Lab::arm(Behaviour behaviour) {
  ServicePanel& service = board_.header().service;
  const Nanos now = monotonic_now();
  service.armed_ns.store(now, std::memory_order_relaxed);
  service.behaviour.store(static_cast<std::uint32_t>(behaviour), std::memory_order_release);
  return now;
}

void Lab::command_watchdog(WatchCommand command) const {
  ::send(channel_.get(), &command, sizeof command, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::optional<WatchEvent> Lab::next_event() const {
  WatchEvent event{};
  const ssize_t n = ::recv(channel_.get(), &event, sizeof event, MSG_DONTWAIT);
  if (n != static_cast<ssize_t>(sizeof event)) return std::nullopt;
  return event;
}

}  // namespace stallproof
