// SPDX-License-Identifier: Apache-2.0
#include "harness/run/board_figures.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/detect/kernel_reports.h"
#include "harness/run/load_figures.h"

namespace stallproof {
namespace {

double in_seconds(const std::atomic<std::uint64_t>& ns) {
  return static_cast<double>(ns.load(std::memory_order_relaxed)) / 1e9;
}

template <std::size_t kSize>
void note_problem(const std::array<char, kSize>& problem, const char* what,
                  std::vector<std::string>& into) {
  if (problem[0] != '\0') into.push_back(std::string(what) + ": " + problem.data());
}

ObserverFigures observer_figures(const EvidenceArea& area) {
  const WatchdogHealth& health = area.health;
  ObserverFigures figures{.heartbeat_ns = health.heartbeat_ns.load(std::memory_order_acquire),
                          .loop_lag_max_s = in_seconds(health.lag_max_ns),
                          .scans = health.scans.load(std::memory_order_relaxed),
                          .scan_failures = health.scan_failures.load(std::memory_order_relaxed),
                          .scan_max_s = in_seconds(health.scan_max_ns),
                          .gaps = health.gaps.load(std::memory_order_relaxed),
                          .gaps_s = in_seconds(health.gap_ns),
                          .kmsg_records = health.kmsg_records.load(std::memory_order_relaxed),
                          .kmsg_lost = health.kmsg_lost.load(std::memory_order_relaxed),
                          .events_dropped = health.events_dropped.load(std::memory_order_relaxed)};
  for (std::size_t i = 0; i < kKernelEvents; ++i)
    figures.kmsg_events.emplace_back(kernel_event_name(static_cast<KernelEvent>(i)),
                                     health.kmsg_events[i].load(std::memory_order_relaxed));
  note_problem(area.left_out, "switched off by --without", figures.blind_spots);
  note_problem(area.scan_problem, "locks and queues", figures.blind_spots);
  note_problem(area.fuse_problem, "FUSE requests", figures.blind_spots);
  note_problem(area.kmsg_problem, "kernel log", figures.blind_spots);
  note_problem(area.target_problem, "the target's threads", figures.blind_spots);
  note_problem(area.system_problem, "the machine as a whole", figures.blind_spots);
  return figures;
}

LockFigures lock_figures(const EvidenceArea& area, Nanos now) {
  const LockQueueRow& row = area.mmap_lock;
  LockFigures figures{.seen = area.scan_problem[0] == '\0' && area.health.scans.load() > 0,
                      .read_waiters = row.read_waiters.load(std::memory_order_relaxed),
                      .write_waiters = row.write_waiters.load(std::memory_order_relaxed)};
  const Nanos since = row.oldest_since_ns.load(std::memory_order_relaxed);
  if (since != 0 && now > since) figures.oldest_wait_s = static_cast<double>(now - since) / 1e9;
  return figures;
}

class SharedFigures final : public FigureSource {
 public:
  SharedFigures(std::optional<Board> board, Evidence evidence)
      : board_(std::move(board)),
        evidence_(std::move(evidence)),
        counts_hung_tasks_(::access("/proc/sys/kernel/hung_task_detect_count", F_OK) == 0) {}

  [[nodiscard]] RunFigures read() const override {
    const EvidenceArea& area = evidence_.area();
    RunFigures figures{.taken_ns = monotonic_now()};
    if (board_)
      for (const LoadEntry& load : board_->loads())
        figures.loads.push_back(own_load_figures(*board_, load, figures.taken_ns));
    else
      figures.loads = foreign_load_figures(area, figures.taken_ns);
    figures.mmap_lock = lock_figures(area, figures.taken_ns);
    figures.observer = observer_figures(area);
    figures.system = system_figures(area);
    return figures;
  }

 private:
  [[nodiscard]] SystemFigures system_figures(const EvidenceArea& area) const {
    SystemFigures figures{.blocked_tasks = area.health.blocked_tasks.load(),
                          .blocked_killable = area.health.blocked_killable.load(),
                          .asleep_in_calls = area.health.asleep_in_calls.load()};
    const std::uint64_t rows = area.system_count.load(std::memory_order_acquire);
    if (rows == 0) return figures;
    const SystemRow row = area.system_rows[(rows - 1) % kSystemRows];
    if (counts_hung_tasks_) figures.hung_tasks = row.hung_tasks;
    figures.io_pressure_stalled_s = static_cast<double>(row.pressure[kPressureIo].full_us) / 1e6;
    return figures;
  }

  std::optional<Board> board_;
  Evidence evidence_;
  bool counts_hung_tasks_;
};

class NoFigures final : public FigureSource {
 public:
  explicit NoFigures(std::string why) : why_("figures: " + std::move(why)) {}
  [[nodiscard]] RunFigures read() const override {
    RunFigures figures{.taken_ns = monotonic_now()};
    figures.observer.blind_spots = {why_};
    return figures;
  }

 private:
  std::string why_;
};

}  // namespace

std::shared_ptr<const FigureSource> make_figure_source(int board_fd, int evidence_fd) {
  auto evidence = Evidence::attach(evidence_fd);
  if (!evidence) return std::make_shared<NoFigures>(evidence.error().what);
  if (board_fd < 0) return std::make_shared<SharedFigures>(std::nullopt, std::move(*evidence));
  auto board = Board::attach(board_fd, false);
  if (!board) return std::make_shared<NoFigures>(board.error().what);
  return std::make_shared<SharedFigures>(std::optional(std::move(*board)), std::move(*evidence));
}

}  // namespace stallproof
