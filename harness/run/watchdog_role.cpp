// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watchdog_role.h"

#include <fmt/format.h>
#include <signal.h>

#include "harness/base/privileges.h"
#include "harness/base/process.h"
#include "harness/base/settings.h"
#include "harness/run/self_protection.h"
#include "harness/run/target_source.h"
#include "harness/run/watchdog.h"

namespace stallproof {
namespace {

// `of`: "" for those of the run, ".3" for those of load 3.
Result<Thresholds> read_thresholds(const Settings& words, const std::string& of) {
  const Thresholds usual;
  const auto stall_after = words.duration("stall-after" + of, usual.stall_after);
  const auto fail_after = words.duration("fail-after" + of, usual.fail_after);
  const auto below = words.count("dropout-below-ppm" + of, 100'000);
  const auto without = words.count("without", 0);
  for (const auto* value : {&stall_after, &fail_after, &below, &without})
    if (!*value) return Failure(value->error());
  return Thresholds{.stall_after = *stall_after,
                    .fail_after = *fail_after,
                    .dropout_below = static_cast<double>(*below) / 1e6,
                    .without = static_cast<DetectorSet>(*without)};
}

Result<WatchdogOptions> read_options(const Settings& words) {
  WatchdogOptions options;
  const auto tick = words.duration("tick", options.tick);
  const auto channel = words.count("channel", 0);
  const auto thresholds = read_thresholds(words, "");
  if (!tick) return Failure(tick.error());
  if (!channel) return Failure(channel.error());
  if (!thresholds) return Failure(thresholds.error());
  options.tick = *tick;
  options.thresholds = *thresholds;
  options.channel_fd = static_cast<int>(*channel);
  for (std::uint32_t load = 0; load < kMaxLoads; ++load) {
    const std::string of = fmt::format(".{}", load);
    if (!words.has("stall-after" + of)) continue;
    const auto own = read_thresholds(words, of);
    if (!own) return Failure(own.error());
    options.own.push_back({load, *own});
  }
  return options;
}

std::unique_ptr<ProgressSource> open_target(const Settings& words, const WatchdogOptions& options) {
  const Nanos stall_after = options.thresholds.stall_after;
  if (!words.has("canary-row")) return std::make_unique<TargetSource>(stall_after);
  const Nanos of_canary =
      LoadThresholds(options.thresholds, options.own).of(kCanaryRow).stall_after;
  return std::make_unique<TargetSource>(stall_after, of_canary);
}

// Our own loads are on the board; without one the load is foreign.
Result<std::unique_ptr<ProgressSource>> open_progress(const Settings& words,
                                                      const WatchdogOptions& options) {
  const auto fd = words.count("board", 0);
  if (!fd) return Failure(fd.error());
  if (*fd == 0) return open_target(words, options);
  auto board = Board::attach(static_cast<int>(*fd), false);
  if (!board) return Failure(board.error());
  std::optional<Board> canary;
  if (words.has("canary-board")) {
    const auto second = words.count("canary-board", 0);
    if (!second) return Failure(second.error());
    auto attached = Board::attach(static_cast<int>(*second), false);
    if (!attached) return Failure(attached.error());
    canary = std::move(*attached);
  }
  return std::make_unique<BoardSource>(std::move(*board), std::move(canary));
}

Result<> watch(const Settings& words, int ready) {
  const auto options = read_options(words);
  if (!options) return Failure(options.error());
  auto progress = open_progress(words, *options);
  if (!progress) return Failure(progress.error());
  auto evidence = Evidence::attach(static_cast<int>(*words.count("evidence", 0)));
  if (!evidence) return Failure(evidence.error());
  Watchdog watchdog(std::move(*progress), std::move(*evidence), *options);
  watchdog.open_probes();
  watchdog.protect();
  give_up_all_but(kKeptByWatchdog);
  report_ready(ready);
  watchdog.run();
  return {};
}

}  // namespace

int run_watchdog_role(const std::vector<std::string>& words) {
  // Ctrl-C in a terminal goes to the whole process group; only the controller may end the watchdog.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  const auto settings = Settings::from_words(words);
  if (!settings) return 2;
  const auto ready = static_cast<int>(*settings->count("ready", 2));
  const auto watched = watch(*settings, ready);
  if (watched) return 0;
  report_failure(ready, watched.error());
  return 3;
}

}  // namespace stallproof
