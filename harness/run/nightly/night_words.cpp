// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_words.h"

#include <fmt/format.h>

#include <string_view>

#include "harness/base/markup.h"
#include "harness/run/canary_plan.h"
#include "harness/store/night_runs.h"

namespace stallproof {
namespace {

constexpr std::string_view kTargetWord = "$target";
// Files are made before the load begins, and a stall that stands is waited for.
constexpr Nanos kBesideTheLoad = 1800 * kSecond;

std::string with_target(std::string word, const std::string& target) {
  for (std::size_t at = word.find(kTargetWord); at != std::string::npos;
       at = word.find(kTargetWord, at + target.size()))
    word.replace(at, kTargetWord.size(), target);
  return word;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

void add(CommandWords& words, const char* option, const std::string& value) {
  if (value.empty()) return;
  words.emplace_back(option);
  words.push_back(value);
}

void add_time(CommandWords& words, const char* option, Nanos span) {
  add(words, option, fmt::format("{}ms", span / kMillisecond));
}

// What a plan says itself, and other loads are told.
void add_watching(CommandWords& words, const NightPlan& night) {
  const Thresholds& thresholds = night.plan.limits.thresholds;
  add_time(words, "--stall-after", thresholds.stall_after);
  add_time(words, "--fail-after", thresholds.fail_after);
  add(words, "--dropout-below", fmt::format("{}", thresholds.dropout_below));
  // Where a node has not the means the night is to see stalls all the same.
  add(words, "--canary", word_of(wants_canary(night.plan) ? CanaryWish::attempt : CanaryWish::no));
  if (!night.plan.notify.empty()) add(words, "--notify", joined(night.plan.notify));
}

void add_outlets(CommandWords& words, const NightPlan& night, const std::string& id) {
  for (const auto& [key, value] : night.labels) add(words, "--label", key + "=" + value);
  add(words, "--label", fmt::format("{}={}", kNightLabel, id));
  add(words, "--listen", night.listen);
  if (night.linger != 0) add_time(words, "--linger", night.linger);
  add(words, "--textfile", night.textfile);
  if (night.on_stall != "report") add(words, "--on-stall", night.on_stall);
  if (night.allow_crash) words.emplace_back("--allow-crash");
}

}  // namespace

CommandWords run_words(const NightPlan& night, const std::string& target,
                       const std::string& plan_file, const std::string& id) {
  CommandWords words;
  if (!night.command.empty()) {
    words.emplace_back("watch");
    add_time(words, "--duration", night.duration);
    add_watching(words, night);
    add_outlets(words, night, id);
    words.emplace_back("--");
    for (const std::string& word : night.command) words.push_back(with_target(word, target));
    return words;
  }
  words.emplace_back("run");
  if (night.vdbench.empty()) {
    words.push_back(plan_file);
    add(words, "--target", target);
  } else {
    for (const std::string& word : night.vdbench) words.push_back(with_target(word, target));
    add_watching(words, night);
  }
  add_outlets(words, night, id);
  return words;
}

CommandWords gate_words(const NightPlan& night, const std::vector<std::string>& runs,
                        const std::string& folder) {
  CommandWords words{"gate"};
  words.insert(words.end(), runs.begin(), runs.end());
  add(words, "--known", night.known);
  if (night.min_hours > 0) add(words, "--min-hours", fmt::format("{}", night.min_hours));
  // The file may forbid it. One that was made and did not pass counts all the same.
  if (!wants_canary(night.plan)) words.emplace_back("--no-canary");
  add(words, "--junit", folder + "/junit.xml");
  add(words, "--summary-md", folder + "/summary.md");
  return words;
}

Nanos run_limit(const NightPlan& night) {
  return night.duration + night.duration / 4 + night.linger + kBesideTheLoad;
}

std::string shell_line(const CommandWords& words) { return "stallproof " + joined(words); }

}  // namespace stallproof
