// SPDX-License-Identifier: Apache-2.0
// workload_loop WORKLOAD [--threads N] [--seconds S] [--warm S] [--file PATH] [KEY=VALUE…]: one
// workload of the catalogue as a run has it, in a worker process of its own on a real board,
// counted between two moments. Prints JSON: ops, bytes, seconds, errors.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/process.h"
#include "workloads/catalogue.h"
#include "workloads/worker_role.h"

namespace stallproof {
namespace {

constexpr Nanos kReadyWithin = 60 * kSecond;
constexpr Nanos kLeaveWithin = 5 * kSecond;

struct Request {
  std::string workload;
  std::uint32_t threads = 1;
  Nanos seconds = 2 * kSecond;
  Nanos warm = kSecond / 2;
  std::vector<std::string> words;  // of the worker
};

struct Moment {
  Nanos at = 0;
  std::uint64_t ops = 0, bytes = 0;
  std::uint64_t errors = 0;
};

Nanos nanos_of(const char* seconds) {
  return static_cast<Nanos>(std::atof(seconds) * static_cast<double>(kSecond));
}

Result<Request> parse(int argc, char** argv) {
  if (argc < 2 || find_workload(argv[1]) == nullptr)
    return fail(
        "workload_loop WORKLOAD [--threads N] [--seconds S] [--warm S] [--file PATH] "
        "[KEY=VALUE…]: no such workload");
  Request request{.workload = argv[1]};
  std::string file = "/dev/null";
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) {
      request.words.emplace_back(name);
      continue;
    }
    const char* const value = i + 1 < argc ? argv[++i] : "";
    if (name == "--threads")
      request.threads = static_cast<std::uint32_t>(std::atoi(value));
    else if (name == "--seconds")
      request.seconds = nanos_of(value);
    else if (name == "--warm")
      request.warm = nanos_of(value);
    else if (name == "--file")
      file = value;
    else
      return fail(std::string("no such option: ").append(name));
  }
  request.words.push_back("file=" + file);
  return request;
}

void sleep_for(Nanos span) {
  const Deadline deadline = Deadline::in(span);
  while (!deadline.passed()) ::poll(nullptr, 0, deadline.poll_ms());
}

Moment look(const Board& board) {
  Moment moment{.at = monotonic_now()};
  for (const BoardSlot& slot : board.slots()) {
    moment.ops += slot.ops.load(std::memory_order_relaxed);
    moment.bytes += slot.bytes.load(std::memory_order_relaxed);
    moment.errors += slot.errors.load(std::memory_order_relaxed);
  }
  return moment;
}

// The worker's pid; its threads wait for the run.
Result<pid_t> start_worker(const Request& request, const Board& board) {
  auto pipe = Pipe::create();
  if (!pipe) return Failure{pipe.error()};
  std::vector<std::string> words = request.words;
  words.push_back("board=" + std::to_string(board.fd()));
  words.push_back("ready=" + std::to_string(pipe->write_end.get()));
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork", errno);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(run_worker_role(words));
  }
  pipe->write_end.reset();
  if (auto ready = wait_ready(pipe->read_end, "worker", Deadline::in(kReadyWithin)); !ready) {
    ::kill(pid, SIGKILL);
    return Failure{ready.error()};
  }
  return pid;
}

bool ended(pid_t pid) {
  const Deadline deadline = Deadline::in(kLeaveWithin);
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) != pid) {
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 2);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Result<> run(const Request& request) {
  const Board::LoadSpec load{request.workload, request.threads};
  auto board = Board::create({&load, 1}, 1);
  if (!board) return Failure{board.error()};
  const auto worker = start_worker(request, *board);
  if (!worker) return Failure{worker.error()};
  board->set_phase(Phase::run);
  sleep_for(request.warm);
  const Moment before = look(*board);
  sleep_for(request.seconds);
  const Moment after = look(*board);
  board->set_phase(Phase::stop);
  if (!ended(*worker)) {
    ::kill(*worker, SIGKILL);
    return fail("the worker did not end well", Origin::infra);
  }
  std::printf("{\"ops\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"errors\": %llu}\n",
              static_cast<unsigned long long>(after.ops - before.ops),
              static_cast<unsigned long long>(after.bytes - before.bytes),
              static_cast<double>(after.at - before.at) / static_cast<double>(kSecond),
              static_cast<unsigned long long>(after.errors - before.errors));
  return {};
}

}  // namespace
}  // namespace stallproof

int main(int argc, char** argv) {
  const auto request = stallproof::parse(argc, argv);
  const auto ran = request ? stallproof::run(*request)
                           : stallproof::Result<>(stallproof::Failure{request.error()});
  if (ran) return 0;
  std::fprintf(stderr, "workload_loop: %s\n", ran.error().what.c_str());
  return 2;
}
