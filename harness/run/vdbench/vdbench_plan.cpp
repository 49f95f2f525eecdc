// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/units.h"
#include "harness/detect/catalogue.h"
#include "harness/run/plan/toml_words.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

std::string from_root(const std::string& name) {
  std::error_code error;
  return fs::absolute(name, error).string();
}

// Names that mean something else in another directory and cannot be said otherwise: luns, which the
// files name, and files whose whole path would be read as name=value.
bool bound_to_directory(const VdbenchOptions& options, const Words& places) {
  return std::any_of(places.begin(), places.end(),
                     [](const std::string& place) { return fs::path(place).is_relative(); }) ||
         std::any_of(options.files.begin(), options.files.end(), [](const std::string& file) {
           return from_root(file).find('=') != std::string::npos;
         });
}

void add_own_words(const PlanOptions& plan, Words& words) {
  const auto seconds = [&words](const char* option, const std::optional<double>& value) {
    if (value) words.insert(words.end(), {option, fmt::format("{:.0f}", *value)});
  };
  if (plan.validate)
    words.push_back(fmt::format("-v{}{}{}", plan.read_after_write ? "r" : "",
                                plan.no_preread ? "w" : "", plan.keep_times ? "t" : ""));
  seconds("-e", plan.elapsed);
  seconds("-i", plan.interval);
  seconds("-w", plan.warmup);
  if (plan.format != FormatOverride::none)
    words.emplace_back(plan.format == FormatOverride::only  ? "-co"
                       : plan.format == FormatOverride::yes ? "-cy"
                                                            : "-cn");
}

void add_thresholds(const Thresholds& given, Words& words) {
  const Thresholds usual = VdbenchOptions{}.thresholds;
  if (given.stall_after != usual.stall_after)
    words.insert(words.end(), {"--stall-after", duration_word(given.stall_after)});
  if (given.fail_after != usual.fail_after)
    words.insert(words.end(), {"--fail-after", duration_word(given.fail_after)});
  if (given.dropout_below != usual.dropout_below)
    words.insert(words.end(), {"--dropout-below", fmt::format("{}", given.dropout_below)});
  for (const auto& detector : kDetectors)
    if (has_detector(given.without, detector.name))
      words.insert(words.end(), {"--without", std::string(detector.name)});
}

// What is behind a '+' is last: it would take whatever follows.
Words option_words(const VdbenchOptions& options) {
  Words words;
  add_own_words(options.plan, words);
  if (options.lenient) words.emplace_back("--lenient");
  if (options.allow_claimed) words.emplace_back("--allow-claimed-device");
  if (options.canary != CanaryWish::as_planned)
    words.insert(words.end(), {"--canary", word_of(options.canary)});
  add_thresholds(options.thresholds, words);
  for (const std::string& file : options.fs_files)
    words.insert(words.end(), {"--fs", from_root(file)});
  if (!options.plan.run_extras.empty()) words.push_back("+" + options.plan.run_extras);
  return words;
}

}  // namespace

std::string vdbench_plan_toml(const VdbenchOptions& options, const Words& places) {
  const bool bound = bound_to_directory(options, places);
  Words files = options.files;
  if (!bound) std::transform(files.begin(), files.end(), files.begin(), from_root);
  std::string text = fmt::format("[vdbench]\ncommand = {}\n",
                                 toml_quoted(options.vdbench_codes ? "vdbench" : "run"));
  std::error_code error;
  if (bound) text += fmt::format("directory = {}\n", toml_quoted(fs::current_path(error).string()));
  return text + fmt::format("files = {}\nvalues = {}\nengine = {}\njvm = {}\noptions = {}\n",
                            toml_names(files), toml_names(options.values),
                            toml_quoted(options.engine == IoEngine::uring ? "io_uring" : "psync"),
                            options.jvm, toml_names(option_words(options)));
}

}  // namespace stallproof
