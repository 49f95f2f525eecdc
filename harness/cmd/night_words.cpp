// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/night_words.h"

#include <fmt/format.h>
#include <poll.h>

#include "harness/base/settings.h"
#include "harness/base/signals.h"
#include "harness/base/units.h"
#include "harness/cmd/stdout_text.h"
#include "harness/run/nightly/night.h"
#include "harness/run/preflight/preflight.h"
#include "harness/run/undo_journal.h"

namespace stallproof {
namespace {

Result<NightWords> spoken(const NightCommandWords& words) {
  NightWords said{.targets = {}, .duration = std::nullopt, .labels = {}, .output = words.out};
  if (!words.target.empty()) said.targets.push_back(words.target);
  if (!said.output.empty() && said.output.front() != '/')
    return fail(fmt::format("--out {}: the output of a night is an absolute path", words.out));
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  said.labels = labels->all();
  if (words.duration.empty()) return said;
  const auto duration = parse_duration(words.duration);
  if (!duration) return fail("--duration: " + duration.error().what);
  if (*duration == 0) return fail("--duration: 0 is no time to run");
  said.duration = *duration;
  return said;
}

}  // namespace

Result<int> run_night_words(const NightCommandWords& words) {
  const auto said = spoken(words);
  if (!said) return Failure(said.error());
  auto plan = read_night_file(words.file, *said);
  if (!plan) return Failure(plan.error());
  if (words.dry_run) {
    if (auto written = write_stdout(night_preview(*plan)); !written)
      return Failure(written.error());
    return 0;
  }
  Console console({.quiet = words.quiet, .json = words.json});
  return run_night(
      {.plan = std::move(*plan), .file = words.file, .accept_unclean = words.accept_unclean},
      console);
}

Result<> refuse_unclean_node(bool accept) {
  const SignalWatch signals;
  bool interrupted = false;
  const auto wait = [&](Nanos span) {
    pollfd item{signals.fd(), POLLIN, 0};
    interrupted = ::poll(&item, 1, static_cast<int>(span / kMillisecond)) > 0;
    return !interrupted;
  };
  // What a run would undo as it starts is no reason to refuse it.
  for (const std::string& line : undo_leftovers(runtime_directory())) say_on_stderr(line);
  const auto unclean = look_at_node({.rooms = {}}, places_of_this_machine(), wait);
  if (interrupted) return fail("run: interrupted while the node was looked at", Origin::infra);
  for (const std::string& line : unclean) say_on_stderr("not clean: " + line);
  if (unclean.empty() || accept) return {};
  return fail(
      fmt::format("run: node is not clean: {} (--accept-unclean goes on)",
                  unclean.size() == 1 ? unclean[0] : fmt::format("{} things", unclean.size())),
      Origin::infra);
}

}  // namespace stallproof
