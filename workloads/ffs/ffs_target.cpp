// SPDX-License-Identifier: Apache-2.0
// ffs_target mount=DIR [service-threads=N] [file-size=S] [direct-open=reply|lock-client|…]
//            [writable=yes [store-size=S] [writeback-cache=yes]] …
//
// The FUSE target alone, for load that is not ours (examples/foreign-load, ci/measure/watch.py).
// With writable=yes it holds a tree in memory beside the file `data`, for load that writes. It says
// one JSON line when it is mounted, behaves well until SIGUSR1 (read errors) or SIGUSR2
// (invalidations) arms it, and ends, unmounting, at SIGTERM, SIGINT or the end of its stdin, so
// that whoever started it cannot leave it behind.
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "harness/board/board.h"
#include "workloads/ffs/ffs_mount.h"
#include "workloads/ffs/ffs_session.h"
#include "workloads/ffs/open_hazards.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

constexpr Nanos kFinishWithin = kSecond;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

bool stdin_ended() {
  pollfd item{STDIN_FILENO, POLLIN, 0};
  if (::poll(&item, 1, 0) <= 0) return false;
  char byte = 0;
  return ::read(STDIN_FILENO, &byte, 1) <= 0;
}

void arm(ServicePanel& panel, Behaviour behaviour, const char* name) {
  const Nanos now = monotonic_now();
  panel.armed_ns.store(now, std::memory_order_relaxed);
  panel.behaviour.store(static_cast<std::uint32_t>(behaviour), std::memory_order_release);
  say(fmt::format("{{\"armed\":\"{}\",\"monotonic_ms\":{:.3f}}}", name,
                  static_cast<double>(now) / 1e6));
}

// Until it is told to end, or the connection has ended.
void obey(ServicePanel& panel, const sigset_t& watched, const std::atomic<bool>& ended) {
  const timespec tick{0, 200'000'000};
  while (!ended.load() && !stdin_ended()) {
    const int number = ::sigtimedwait(&watched, nullptr, &tick);
    if (number == SIGUSR1) arm(panel, Behaviour::read_error, "read-error");
    if (number == SIGUSR2) arm(panel, Behaviour::invalidate, "invalidate");
    if (number == SIGTERM || number == SIGINT || number == SIGHUP) return;
  }
}

sigset_t block_signals() {
  sigset_t watched = block_ending_signals();
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
    ::sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  return watched;
}

Result<> serve(const FfsOptions& options) {
  const sigset_t watched = block_signals();
  const Board::LoadSpec nobody{"foreign", 1};
  auto board = Board::create({&nobody, 1}, 1);
  if (!board) return Failure(board.error());
  auto mount = FfsMount::create(options.mount_dir);
  if (!mount) return Failure(mount.error());
  auto session = FfsSession::create(*board, options, mount->release_device());
  if (!session) return Failure(session.error());
  std::atomic<bool> ended = false;
  (*session)->pool().start();
  std::thread receiver([&session, &options, &ended] {
    ::pthread_setname_np(::pthread_self(), "ffs_recv");
    (*session)->receive([&options] {
      say(fmt::format("{{\"mount\":\"{}\",\"pid\":{}}}", options.mount_dir, ::getpid()));
    });
    ended.store(true);
  });
  ServicePanel& panel = board->header().service;
  obey(panel, watched, ended);
  say(
      fmt::format("{{\"page_reads\":{},\"direct_reads\":{},\"hazards\":{},\"read_errors\":{},"
                  "\"invalidations\":{},\"lock_failures\":{},\"writes\":{}}}",
                  panel.page_reads.load(), panel.direct_reads.load(), panel.hazards.load(),
                  panel.read_errors.load(), panel.invalidations.load(), panel.copy_failures.load(),
                  panel.writes.load()));
  // Aborts the connection: receiver, clients and service threads are freed.
  mount->abort_and_unmount();
  const Deadline deadline = Deadline::in(kFinishWithin);
  while (!ended.load() && !deadline.passed()) ::poll(nullptr, 0, 1);
  if (!ended.load() || !(*session)->pool().finish_by(deadline)) ::_exit(3);
  receiver.join();
  close_all_hazards(panel);
  return {};
}

}  // namespace
}  // namespace stallproof

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  words.emplace_back("board=0");
  const auto options = stallproof::parse_ffs_options(words);
  if (!options) return stallproof::refuse_role(-1, options.error());
  const auto served = stallproof::serve(*options);
  return served ? 0 : stallproof::refuse_role(-1, served.error());
}
