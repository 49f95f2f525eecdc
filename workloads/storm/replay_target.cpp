// SPDX-License-Identifier: Apache-2.0
// The replay alone, as a process that can be recorded: replay_target seconds=S slots=N and the
// parameters of the load (profile-file, speed, repeat). Prints one JSON line when it ends.
#include <fmt/format.h>
#include <poll.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "workloads/storm/replay.h"

namespace stallproof {
namespace {

void print_counters(const Board& board) {
  std::uint64_t ops = 0, errors = 0;
  for (const BoardSlot& slot : board.slots()) {
    ops += slot.ops.load();
    errors += slot.errors.load();
  }
  std::printf("%s\n", fmt::format("{{\"ops\": {}, \"errors\": {}}}", ops, errors).c_str());
}

Result<> replay(const Settings& settings) {
  const auto seconds = settings.duration("seconds", 5 * kSecond);
  const auto slots = settings.count("slots", 8);
  if (!seconds) return Failure(seconds.error());
  if (!slots) return Failure(slots.error());
  const auto threads = static_cast<unsigned>(*slots);
  const Board::LoadSpec spec{"replay", threads};
  auto board = Board::create({&spec, 1}, 1);
  if (!board) return Failure(board.error());
  const auto load = make_replay();
  if (auto ready = load->prepare({.settings = settings, .threads = threads}); !ready) return ready;
  board->set_phase(Phase::run);
  const std::atomic<bool> ended = false;
  std::atomic<unsigned> left = 0;
  std::vector<std::thread> running;
  for (unsigned index = 0; index < threads; ++index)
    running.emplace_back([&, index] {
      WorkerContext ctx{
          .slot = board->slots()[index], .index = index, .board = *board, .ended = ended};
      if (const auto done = load->run(ctx); !done)
        std::fprintf(stderr, "%s\n", done.error().what.c_str());
      ++left;
    });
  const Deadline deadline = Deadline::in(*seconds);
  while (!deadline.passed() && left.load() < threads) ::poll(nullptr, 0, 10);
  board->set_phase(Phase::stop);
  for (std::thread& each : running) each.join();
  print_counters(*board);
  return {};
}

}  // namespace
}  // namespace stallproof

int main(int argc, char** argv) {
  const auto settings = stallproof::Settings::from_words({argv + 1, argv + argc});
  const auto done = settings ? stallproof::replay(*settings)
                             : stallproof::Result<>(stallproof::Failure(settings.error()));
  if (done) return 0;
  std::fprintf(stderr, "replay_target: %s\n", done.error().what.c_str());
  return 2;
}
