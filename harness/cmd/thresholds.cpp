// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/thresholds.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "harness/base/units.h"

namespace stallproof {
namespace {

Result<DetectorSet> read_detectors(const std::vector<std::string>& names) {
  DetectorSet set = 0;
  for (const std::string& name : names) {
    const auto detector = detector_named(name);
    if (!detector)
      return fail(
          fmt::format("--without: there is no detector '{}' (stallproof list detectors)", name));
    set |= *detector;
  }
  return set;
}

}  // namespace

void add_threshold_options(CLI::App& app, ThresholdWords& words,
                           const std::string& fail_after_default) {
  app.add_option("--stall-after", words.stall_after, "No completion for this long is a stall")
      ->capture_default_str();
  app.add_option("--fail-after", words.fail_after,
                 "A stall this long is a failing one (default: " + fail_after_default + ")");
  app.add_option("--dropout-below", words.dropout_below,
                 "Throughput under this part of its median is a dropout")
      ->capture_default_str();
  app.add_option("--without", words.without,
                 "Switch a detector off, to see what depends on it; may be repeated. Without a "
                 "stall the verdict is then unknown")
      ->allow_extra_args(false);
}

Result<Thresholds> read_thresholds(const ThresholdWords& words, Nanos fail_after_default) {
  const auto stall_after = parse_duration(words.stall_after);
  if (!stall_after) return fail("--stall-after: " + stall_after.error().what);
  if (*stall_after < 100 * kMillisecond)
    return fail(
        fmt::format("--stall-after: {} is below the shortest that can be told from noise (100ms)",
                    words.stall_after));
  auto fail_after = Result<Nanos>(std::max(fail_after_default, *stall_after));
  if (!words.fail_after.empty()) fail_after = parse_duration(words.fail_after);
  if (!fail_after) return fail("--fail-after: " + fail_after.error().what);
  if (*fail_after < *stall_after)
    return fail(fmt::format("--fail-after: {} is shorter than --stall-after {}", words.fail_after,
                            words.stall_after));
  char* end = nullptr;
  const double below = std::strtod(words.dropout_below.c_str(), &end);
  if (words.dropout_below.empty() || *end != '\0' || !(below >= 0 && below <= 1))
    return fail(
        fmt::format("--dropout-below: '{}' is not a ratio between 0 and 1", words.dropout_below));
  const auto without = read_detectors(words.without);
  if (!without) return Failure(without.error());
  return Thresholds{.stall_after = *stall_after,
                    .fail_after = *fail_after,
                    .dropout_below = below,
                    .without = *without};
}

}  // namespace stallproof
