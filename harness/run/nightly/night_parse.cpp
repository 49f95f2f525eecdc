// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/file.h"
#include "harness/base/toml_reader.h"
#include "harness/run/nightly/night_plan.h"
#include "harness/run/plan/plan_table.h"
#include "harness/store/night_runs.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfFile = 4U << 20U;
constexpr std::size_t kMostTargets = 64;
constexpr std::uint64_t kMostDays = 36500;
constexpr double kMostGigabytes = 1e9;
constexpr double kMostHours = 1e6;
constexpr Nanos kLongestLinger = 24 * 3600 * kSecond;
constexpr Nanos kLongestLook = 600 * kSecond;
constexpr std::array kPolicies{"report", "sysrq", "panic"};

bool cannot_be_word(const std::string& word) {
  return word.empty() || word.find('\0') != std::string::npos;
}

class NightParser {
 public:
  NightParser(const std::string& source, const NightWords& words)
      : source_(source), words_(words), problems_(source) {}

  Result<NightPlan> parse(toml::table root) {
    TomlReader reader(root, "the night", problems_);
    if (const toml::table* table = reader.table("nightly")) read_night(*table);
    if (const toml::table* table = reader.table("labels")) read_labels(*table);
    refuse_said_twice(reader);
    if (!problems_.none()) return fail(problems_.first());
    root.erase("nightly");
    root.erase("labels");
    take_words();
    auto plan = read_plan(root);
    if (!plan) return Failure(plan.error());
    night_.plan = std::move(*plan);
    // Whether a stall would be seen is to be known in the morning, however short the night.
    night_.plan.canary.enabled = night_.plan.canary.enabled.value_or(true);
    return std::move(night_);
  }

 private:
  void read_night(const toml::table& table);
  void read_words(TomlReader& reader, const char* key, std::vector<std::string>& into);
  void read_limits(TomlReader& reader);
  void read_policy(TomlReader& reader);
  void read_labels(const toml::table& table);
  void refuse_said_twice(TomlReader& root);
  void take_words();
  [[nodiscard]] bool has_loads() const { return night_.vdbench.empty() && night_.command.empty(); }
  Result<LoadPlan> read_plan(const toml::table& root) {
    return parse_plan_table(root, source_,
                            {.target = night_.targets.empty() ? "" : night_.targets.front(),
                             .duration = night_.duration,
                             .has_loads = has_loads()});
  }

  std::string source_;
  const NightWords& words_;
  TomlProblems problems_;
  NightPlan night_;
};

void NightParser::read_words(TomlReader& reader, const char* key, std::vector<std::string>& into) {
  reader.texts(key, into);
  if (reader.has(key) && into.empty()) reader.problem(key, "is empty");
  if (std::any_of(into.begin(), into.end(), cannot_be_word))
    reader.problem(key, "has an empty word in it");
}

void NightParser::read_night(const toml::table& table) {
  TomlReader reader(table, "[nightly]", problems_);
  read_words(reader, "targets", night_.targets);
  read_words(reader, "vdbench", night_.vdbench);
  read_words(reader, "command", night_.command);
  const std::set<std::string> once(night_.targets.begin(), night_.targets.end());
  if (once.size() != night_.targets.size()) reader.problem("targets", "names one of them twice");
  if (once.size() > kMostTargets)
    reader.problem("targets", fmt::format("are more than {}", kMostTargets));
  if (!night_.vdbench.empty() && !night_.command.empty())
    reader.problem("command", "and vdbench are given: one of them is run");
  if (has_loads() && words_.targets.empty()) reader.require("targets", " ([\"/mnt/data\"])");
  reader.duration("duration", night_.duration);
  if (night_.duration == 0) reader.problem("duration", "is zero");
  reader.text("output", night_.output);
  if (!night_.output.empty() && night_.output.front() != '/')
    reader.problem("output", fmt::format("'{}' is not absolute", night_.output));
  reader.text("known", night_.known);
  reader.value("listen", night_.listen);
  reader.text("textfile", night_.textfile);
  read_limits(reader);
  read_policy(reader);
  reader.refuse_unknown();
}

void NightParser::read_limits(TomlReader& reader) {
  if (reader.has("keep_days"))
    reader.count("keep_days", 1, kMostDays, night_.keep_days.emplace(kMostDays));
  if (reader.has("keep_gb")) {
    reader.number("keep_gb", 0, kMostGigabytes, night_.keep_gb.emplace(kMostGigabytes));
    if (*night_.keep_gb == 0) reader.problem("keep_gb", "is zero: nothing could be kept");
  }
  reader.number("min_hours", 0, kMostHours, night_.min_hours);
  reader.duration("linger", night_.linger);
  if (night_.linger > kLongestLinger) reader.problem("linger", "is more than 24h");
  if (night_.linger != 0 && night_.listen.empty())
    reader.problem("linger", "is for listen, which is not given");
  reader.duration("blocked_for", night_.blocked_for);
  if (night_.blocked_for > kLongestLook) reader.problem("blocked_for", "is more than 10m");
}

void NightParser::read_policy(TomlReader& reader) {
  reader.text("on_stall", night_.on_stall);
  reader.flag("allow_crash", night_.allow_crash);
  if (std::find(kPolicies.begin(), kPolicies.end(), night_.on_stall) == kPolicies.end())
    reader.problem("on_stall",
                   fmt::format("'{}' is none of report, sysrq, panic", night_.on_stall));
  if (night_.on_stall == "panic" && !night_.allow_crash)
    reader.problem("on_stall", "panic crashes the node: say allow_crash = true too");
}

void NightParser::read_labels(const toml::table& table) {
  TomlReader reader(table, "[labels]", problems_);
  for (const auto& entry : table) {
    const std::string key(entry.first.str());
    std::string value;
    reader.value(key, value);
    if (key.empty() || key.find('=') != std::string::npos || key == kNightLabel)
      reader.problem(key, key == kNightLabel ? "is the night's own" : "is no key of a label");
    night_.labels[key] = value;
  }
}

// Where two places say it, one of them is wrong some day.
void NightParser::refuse_said_twice(TomlReader& root) {
  if (const toml::table* plan = root.table("plan")) {
    TomlReader reader(*plan, "[plan]", problems_);
    if (reader.has("duration")) reader.problem("duration", "of a night is said in [nightly]");
    if (reader.has("target")) reader.problem("target", "of a night: targets in [nightly]");
  }
  if (has_loads()) return;
  for (const char* key : {"process", "phase"})
    if (root.has(key))
      root.problem(key, fmt::format("is for loads of our own, and {} is run",
                                    night_.command.empty() ? "vdbench" : "command"));
  if (const toml::table* canary = root.table("canary")) {
    TomlReader reader(*canary, "[canary]", problems_);
    if (reader.has("when"))
      reader.problem("when", "is for loads of our own; else it is made before and after them");
  }
  if (const toml::table* limits = root.table("thresholds")) {
    TomlReader reader(*limits, "[thresholds]", problems_);
    for (const char* key : {"max_dropouts", "max_dropout_seconds", "min_ops"})
      if (reader.has(key)) reader.problem(key, "is for loads of our own ([[process]])");
  }
}

void NightParser::take_words() {
  if (!words_.targets.empty()) night_.targets = words_.targets;
  if (words_.duration) night_.duration = *words_.duration;
  if (!words_.output.empty()) night_.output = words_.output;
  for (const auto& [key, value] : words_.labels) night_.labels[key] = value;
}

}  // namespace

Result<NightPlan> parse_night(const std::string& text, const std::string& source,
                              const NightWords& words) {
  try {
    return NightParser(source, words).parse(toml::parse(text, source));
  } catch (const toml::parse_error& error) {
    TomlProblems problems(source);
    problems.add(error.source(), std::string{error.description()});
    return fail(problems.first());
  }
}

Result<NightPlan> read_night_file(const std::string& path, const NightWords& words) {
  const auto text = read_file(path, kMostOfFile);
  if (!text)
    return fail("run: " + text.error().what +
                " (give a night's file; stallproof init --target DIR writes one)");
  return parse_night(*text, path, words);
}

bool is_night_file(const std::string& path) {
  const auto text = read_file(path, kMostOfFile);
  if (!text) return false;
  try {
    return toml::parse(*text, path).contains("nightly");
  } catch (const toml::parse_error&) {
    // Whoever reads it as a plan says what is wrong, and where.
    return false;
  }
}

}  // namespace stallproof
