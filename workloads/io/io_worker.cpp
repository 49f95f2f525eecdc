// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_worker.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/privileges.h"
#include "harness/base/process.h"
#include "harness/base/settings.h"
#include "workloads/io/io_engine.h"
#include "workloads/io/worker_process.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

Result<> prepare(EngineContext& context, const Settings& words) {
  const auto board_fd = words.count("board", 0);
  const auto panel_fd = words.count("panel", 0);
  const auto job_fd = words.count("job", 0);
  for (const auto* const fd : {&board_fd, &panel_fd, &job_fd})
    if (!*fd) return Failure((*fd).error());
  auto job = job_of_memory(static_cast<int>(*job_fd));
  if (!job) return Failure(job.error());
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return Failure(board.error());
  auto panel = IoPanel::attach(static_cast<int>(*panel_fd));
  if (!panel) return Failure(panel.error());
  auto files = open_files(*job);
  if (!files) return Failure(files.error());
  context.job = std::move(*job);
  context.board = std::move(*board);
  context.panel = std::move(*panel);
  context.files = std::move(*files);
  context.source = make_source(context.job);
  context.clear_slots();
  if (context.job.validation.on) {
    const auto maps_fd = words.count("maps", 0);
    if (!maps_fd) return Failure(maps_fd.error());
    auto validation = attach_validation(context.job, static_cast<int>(*maps_fd));
    if (!validation) return Failure(validation.error());
    context.validation = std::move(*validation);
  }
  return {};
}

WorkerThread thread_of(EngineContext& context, const EngineThread& thread) {
  return {.name = fmt::format("{}/{}", context.job.files[thread.file].name, thread.first),
          .slots = context.slots_of(thread),
          .work = [&context, thread] {
            if (context.job.engine == IoEngine::uring)
              run_uring_thread(context, thread);
            else
              run_psync_thread(context, thread);
          }};
}

void sync_files(const EngineContext& context) {
  for (std::size_t i = 0; i < context.files.size(); ++i)
    if (context.job.files[i].sync_at_end) ::fsync(context.files[i].get());
}

}  // namespace

int run_io_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = Settings::from_words(words);
  if (!settings) return refuse_role(ready_fd, settings.error());
  const sigset_t watched = block_ending_signals();
  // Never destroyed: threads outlast every wait.
  static auto* const context = new EngineContext;
  if (const auto prepared = prepare(*context, *settings); !prepared)
    return refuse_role(ready_fd, prepared.error());
  static auto* const process = new WorkerProcess{.context = *context};
  for (const EngineThread& thread : threads_of(context->job, context->files))
    process->threads.push_back(thread_of(*context, thread));
  if (context->job.jvm) process->jvm_seed = context->job.seed;
  give_up_all_but(kKeptByLoads);
  if (const auto started = start_worker(*process); !started)
    ::_exit(refuse_role(ready_fd, started.error()));
  if (ready_fd >= 0) report_ready(ready_fd);
  if (!wait_until_left(*process, watched)) ::_exit(3);
  sync_files(*context);
  ::_exit(0);
}

}  // namespace stallproof
