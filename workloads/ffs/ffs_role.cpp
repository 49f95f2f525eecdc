// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/ffs_role.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "harness/base/privileges.h"
#include "harness/base/process.h"
#include "harness/board/board.h"
#include "workloads/ffs/ffs_mount.h"
#include "workloads/ffs/ffs_session.h"
#include "workloads/ffs/open_hazards.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

constexpr Nanos kFinishWithin = kSecond / 2;

// Ends at SIGTERM, or when `ended` is set by the receiver, which raises SIGTERM itself to say so.
void wait_for_end(const sigset_t& watched, const std::atomic<bool>& ended) {
  const timespec tick{1, 0};
  while (!ended.load()) {
    if (::sigtimedwait(&watched, nullptr, &tick) == SIGTERM) return;
  }
}

// The receiver must have left the session before it is destroyed.
bool ended_by(const std::atomic<bool>& ended, Deadline deadline) {
  while (!ended.load() && !deadline.passed()) ::poll(nullptr, 0, 1);
  return ended.load();
}

std::thread start_receiver(FfsSession& session, int ready_fd, std::atomic<bool>& ended) {
  return std::thread([&session, ready_fd, &ended] {
    ::pthread_setname_np(::pthread_self(), "ffs_recv");
    session.receive([ready_fd] {
      if (ready_fd >= 0) report_ready(ready_fd);
    });
    ended.store(true);
    ::kill(::getpid(), SIGTERM);
  });
}

Result<> serve(const FfsOptions& options, Board& board) {
  const sigset_t watched = block_ending_signals();
  auto mount = FfsMount::create(options.mount_dir);
  if (!mount) return Failure{mount.error()};
  auto session = FfsSession::create(board, options, mount->release_device());
  if (!session) return Failure{session.error()};

  give_up_all_but(kKeptByService);
  std::atomic<bool> ended = false;
  (*session)->pool().start();
  std::thread receiver = start_receiver(**session, options.ready_fd, ended);
  wait_for_end(watched, ended);

  // Aborts the connection: the receiver ends, and clients and service threads are freed.
  mount->abort_and_unmount();
  const Deadline deadline = Deadline::in(kFinishWithin);
  if (!ended_by(ended, deadline) || !(*session)->pool().finish_by(deadline)) ::_exit(3);
  receiver.join();
  close_all_hazards(board.header().service);
  return {};
}

}  // namespace

int run_ffs_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto options = parse_ffs_options(words);
  if (!options) return refuse_role(ready_fd, options.error());
  auto board = Board::attach(options->board_fd, true);
  if (!board) return refuse_role(ready_fd, board.error());
  const auto served = serve(*options, *board);
  return served ? 0 : refuse_role(ready_fd, served.error());
}

}  // namespace stallproof
