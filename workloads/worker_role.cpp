// SPDX-License-Identifier: Apache-2.0
#include "workloads/worker_role.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>

#include "harness/base/privileges.h"
#include "harness/base/process.h"
#include "harness/board/shared_memory.h"
#include "workloads/catalogue.h"
#include "workloads/role_words.h"
#include "workloads/worker_loads.h"

namespace stallproof {
namespace {

constexpr Nanos kLeaveWithin = 2 * kSecond;
constexpr Nanos kStartWithin = 10 * kSecond;
constexpr long kPollNanos = 20'000'000;

Result<Settings> parse_words(const std::vector<std::string>& words) {
  auto settings = Settings::from_words(words);
  if (!settings) return settings;
  std::vector<std::string> known = all_workload_parameters();
  known.insert(known.end(),
               {"board", "ready", "file", "order", "leave-within", "own-files", "last-cpu"});
  if (auto refused = settings->refuse_unknown(known); !refused) return Failure{refused.error()};
  if (!settings->has("board")) return fail("board=... is missing");
  if (!settings->has("file") && !settings->has("order"))
    return fail("file=... or order=... is missing");
  return settings;
}

Result<WorkOrder> order_of(const Settings& settings, const Board& board) {
  if (!settings.has("order")) return order_for_board(board, settings.text("file", ""), settings);
  const auto fd = settings.count("order", 0);
  if (!fd) return Failure{fd.error()};
  const auto text = text_of_memory(static_cast<int>(*fd));
  if (!text) return Failure{text.error()};
  return work_order_of_json(*text);
}

Result<std::unique_ptr<WorkerLoads>> prepare(const Settings& settings) {
  const auto board_fd = settings.count("board", 0);
  if (!board_fd) return Failure{board_fd.error()};
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return Failure{board.error()};
  const auto order = order_of(settings, *board);
  if (!order) return Failure{order.error()};
  if (!order->name.empty()) ::prctl(PR_SET_NAME, order->name.c_str());
  return WorkerLoads::prepare(std::move(*board), *order);
}

// Returns the exit code.
int live_until_left(WorkerLoads& loads, const sigset_t& watched, Nanos leave_within) {
  const timespec tick{0, kPollNanos};
  std::optional<Deadline> leave_by;
  bool terminated = false;
  while (!loads.all_left()) {
    if (::sigtimedwait(&watched, nullptr, &tick) == SIGTERM) terminated = true;
    const bool stopping = terminated || loads.board().phase() == Phase::stop;
    loads.follow_schedules(monotonic_now(), stopping);
    if (stopping && !leave_by) leave_by = Deadline::in(leave_within);
    if (leave_by && leave_by->passed()) return 3;
  }
  loads.cleanup();
  return loads.failed() ? 3 : 0;
}

}  // namespace

int run_worker_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = parse_words(words);
  if (!settings) return refuse_role(ready_fd, {"worker: " + settings.error().what});
  const auto leave_within = settings->duration("leave-within", kLeaveWithin);
  if (!leave_within) return refuse_role(ready_fd, {"worker: " + leave_within.error().what});
  const sigset_t watched = block_ending_signals();
  auto loads = prepare(*settings);
  if (!loads) return refuse_role(ready_fd, {"worker: " + loads.error().what, loads.error().origin});
  give_up_all_but(kKeptByLoads);
  if (const auto started = (*loads)->start_threads(); !started)
    ::_exit(refuse_role(ready_fd, {"worker: " + started.error().what, started.error().origin}));
  const Deadline start_by = Deadline::in(kStartWithin);
  while (!(*loads)->all_started() && !start_by.passed()) ::poll(nullptr, 0, 1);
  if (!(*loads)->all_started())
    ::_exit(refuse_role(ready_fd, {"worker: threads did not start", Origin::infra}));
  if (ready_fd >= 0) report_ready(ready_fd);
  ::_exit(live_until_left(**loads, watched, *leave_within));
}

}  // namespace stallproof
