// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/io_lab.h"

#include <fmt/format.h>
#include <signal.h>

#include "harness/run/canary_rounds.h"

namespace stallproof {
namespace {

constexpr Nanos kStartWithin = 60 * kSecond;
constexpr Nanos kLookAtTreesWithin = 600 * kSecond;
constexpr Nanos kEndWithin = 3 * kSecond;
constexpr Nanos kAfterKill = 2 * kSecond;

}  // namespace

Result<IoLab> IoLab::start(const std::vector<Load>& loads, const Thresholds& thresholds,
                           const CanaryPlan* canary) {
  std::vector<Board::LoadSpec> specs;
  for (const Load& load : loads) specs.push_back({load.name, load.threads});
  auto board = Board::create(specs, realtime_now());
  if (!board) return Failure(board.error());
  auto watchdog = WatchdogChild::create();
  if (!watchdog) return Failure(watchdog.error());
  IoLab lab(std::move(*board), std::move(*watchdog));
  std::vector<OwnThresholds> own;
  if (canary != nullptr) {
    auto second = board_of(*canary);
    if (!second) return Failure(second.error());
    lab.canary_board_ = std::move(*second);
    own = canary_thresholds(thresholds, static_cast<std::uint32_t>(loads.size()), canary->lab);
  }
  auto up = lab.watchdog_.start({.thresholds = thresholds,
                                 .own = own,
                                 .board_fd = lab.board_.fd(),
                                 .canary_fd = lab.canary_board_ ? lab.canary_board_->fd() : -1});
  if (up) return lab;
  lab.watchdog_.end();
  return Failure(up.error());
}

Result<> IoLab::start_worker(const IoJob& job) {
  auto panel = IoPanel::create(static_cast<std::uint32_t>(board_.slots().size()),
                               static_cast<std::uint32_t>(job.streams.size()));
  if (!panel) return Failure(panel.error());
  panel_ = std::move(*panel);
  auto memory = share_job(job);
  if (!memory) return Failure(memory.error());
  return start_worker("io", panel_.fd(), memory->get(), kStartWithin);
}

Result<> IoLab::start_worker(const FileJob& job) {
  auto panel = FilePanel::create(static_cast<std::uint32_t>(board_.slots().size()),
                                 static_cast<std::uint32_t>(job.anchors.size()));
  if (!panel) return Failure(panel.error());
  file_panel_ = std::move(*panel);
  auto memory = share_job(job);
  if (!memory) return Failure(memory.error());
  return start_worker("files", file_panel_.fd(), memory->get(), kLookAtTreesWithin);
}

Result<> IoLab::start_worker(const char* role, int panel_fd, int job_fd, Nanos within) {
  board_.set_phase(Phase::prepare);
  Settings words;
  words.set("board", std::to_string(board_.fd()));
  words.set("panel", std::to_string(panel_fd));
  words.set("job", std::to_string(job_fd));
  std::vector<int> keep{board_.fd(), panel_fd, job_fd};
  if (maps_) {
    words.set("maps", std::to_string(maps_->fd()));
    keep.push_back(maps_->fd());
  }
  auto up = start_role(worker_, role, words, keep, {}, within);
  if (up) watchdog_.watch_process(worker_.pid());
  return up;
}

void IoLab::run_load() { board_.set_phase(Phase::run); }

bool IoLab::worker_ended(Deadline deadline) { return worker_.reap_by(deadline).has_value(); }

std::string IoLab::end_worker() {
  Child worker = std::move(worker_);
  worker_ = Child();
  if (worker.pid() <= 0) return {};
  watchdog_.forget_process(worker.pid());
  if (worker.reaped() || worker.try_reap()) return {};
  worker.signal(SIGTERM);
  if (worker.reap_by(Deadline::in(kEndWithin))) return {};
  worker.signal(SIGKILL);
  if (worker.reap_by(Deadline::in(kAfterKill))) return {};
  return fmt::format("worker process {} (unkillable)", worker.pid());
}

std::string IoLab::end() { return watchdog_.end(); }

std::vector<std::string> IoLab::load_names() const {
  std::vector<std::string> names;
  for (const LoadEntry& load : board_.loads()) names.emplace_back(load.name);
  return names;
}

}  // namespace stallproof
