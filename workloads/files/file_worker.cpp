// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_worker.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/privileges.h"
#include "harness/base/process.h"
#include "harness/base/settings.h"
#include "workloads/files/file_engine.h"
#include "workloads/io/worker_process.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

Result<> check_fits(const FileContext& context) {
  const FileJob& job = context.job;
  for (const JobFileWorkload& workload : job.workloads) {
    const std::size_t end = std::size_t{workload.first_slot} + workload.threads;
    if (end > context.board.slots().size() || end > context.panel.header().slot_count ||
        workload.anchor >= job.anchors.size() ||
        workload.target >= static_cast<std::int64_t>(job.anchors.size()))
      return fail("the job does not fit its board and panel", Origin::infra);
  }
  if (context.panel.header().anchor_count < job.anchors.size())
    return fail("the job does not fit its panel", Origin::infra);
  return {};
}

Result<> prepare(FileContext& context, const Settings& words) {
  const auto board_fd = words.count("board", 0);
  const auto panel_fd = words.count("panel", 0);
  const auto job_fd = words.count("job", 0);
  for (const auto* const fd : {&board_fd, &panel_fd, &job_fd})
    if (!*fd) return Failure((*fd).error());
  auto job = file_job_of_memory(static_cast<int>(*job_fd));
  if (!job) return Failure(job.error());
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return Failure(board.error());
  auto panel = FilePanel::attach(static_cast<int>(*panel_fd));
  if (!panel) return Failure(panel.error());
  context.job = std::move(*job);
  context.board = std::move(*board);
  context.panel = std::move(*panel);
  if (auto fits = check_fits(context); !fits) return fits;
  context.clear_slots();
  return prepare_trees(context);
}

WorkerThread thread_of(FileContext& context, const FileThread& thread) {
  const JobFileWorkload& workload = context.job.workloads[thread.workload];
  return {.name = fmt::format("{}/{}", context.job.anchors[workload.anchor].name, thread.index),
          .slots = context.slots_of(thread),
          .work = [&context, thread] { run_file_thread(context, thread); }};
}

}  // namespace

int run_files_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = Settings::from_words(words);
  if (!settings) return refuse_role(ready_fd, settings.error());
  const sigset_t watched = block_ending_signals();
  // Never destroyed: threads outlast every wait.
  static auto* const context = new FileContext;
  if (const auto prepared = prepare(*context, *settings); !prepared)
    return refuse_role(ready_fd, prepared.error());
  begin_control_files(*context);
  static auto* const process = new WorkerProcess{.context = *context};
  for (const FileThread& thread : threads_of(context->job))
    process->threads.push_back(thread_of(*context, thread));
  if (context->job.jvm) process->jvm_seed = context->job.seed;
  give_up_all_but(kKeptByLoads);
  if (const auto started = start_worker(*process); !started)
    ::_exit(refuse_role(ready_fd, started.error()));
  if (ready_fd >= 0) report_ready(ready_fd);
  if (!wait_until_left(*process, watched)) ::_exit(3);
  const bool kept = end_control_files(*context).has_value();
  if (context->panel.header().ended_by.load() != 0) ::_exit(2);
  ::_exit(kept ? 0 : 3);
}

}  // namespace stallproof
