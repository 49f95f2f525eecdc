// SPDX-License-Identifier: Apache-2.0
// What would make a run again, from its verdict and its plan.toml, which may be a stranger's: each
// word is quoted for a shell, and a plan that is none gives no command.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "harness/base/markup.h"
#include "harness/base/units.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

using Words = std::vector<std::string>;

// As cmd/thresholds.h has them for every command.
constexpr double kUsualStallAfterMs = 1000, kUsualDropoutBelow = 0.10;

// Empty where the key is absent or holds anything else.
Words texts_of(const toml::table& table, std::string_view key) {
  Words words;
  if (const toml::array* const list = table[key].as_array())
    for (const toml::node& each : *list)
      if (const auto text = each.value<std::string>()) words.push_back(*text);
  return words;
}

std::string text_of(const toml::table& table, std::string_view key) {
  return table[key].value_or(std::string{});
}

void append(Words& to, const Words& more) { to.insert(to.end(), more.begin(), more.end()); }

// What one line cannot say, and a terminal may obey when it is pasted.
bool has_control(const std::string& word) {
  return std::any_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::iscntrl(c) != 0; });
}

// From the directory where its names mean what they meant. Empty where it cannot be one line.
std::string shell_line(const std::string& directory, const Words& words) {
  if (has_control(directory) || std::any_of(words.begin(), words.end(), has_control)) return {};
  std::string line = directory.empty() ? "" : "cd " + shell_word(directory) + " && ";
  line += "stallproof";
  for (const std::string& word : words) line += " " + shell_word(word);
  return line;
}

// As run/vdbench/vdbench_plan.cpp writes it.
std::string vdbench_command(const toml::table& table) {
  const std::string command = text_of(table, "command");
  const Words files = texts_of(table, "files");
  if (files.empty() || (command != "vdbench" && command != "run")) return {};
  Words words{command};
  if (command == "vdbench") words.emplace_back("-f");
  append(words, files);
  if (text_of(table, "engine") == "io_uring") append(words, {"--engine", "io_uring"});
  if (!table["jvm"].value_or(true)) words.emplace_back("--no-jvm");
  append(words, texts_of(table, "values"));
  append(words, texts_of(table, "options"));
  return shell_line(text_of(table, "directory"), words);
}

std::string span_word(double ms) {
  return duration_word(static_cast<Nanos>(std::llround(ms * 1e6)));
}

void add_span(const toml::table& table, std::string_view key, const char* option, Words& words) {
  if (const auto ms = table[key].value<std::int64_t>(); ms && *ms >= 0)
    append(words, {option, span_word(static_cast<double>(*ms))});
}

// 0: the verdict is older than this threshold.
void add_dropout_below(const Verdict& verdict, Words& words) {
  if (verdict.dropout_below != 0 && verdict.dropout_below != kUsualDropoutBelow)
    append(words, {"--dropout-below", fmt::format("{}", verdict.dropout_below)});
}

// As run/watch.cpp writes it. A process that was watched by its number is no more.
std::string watch_command(const toml::table& table, const Verdict& verdict) {
  const Words command = texts_of(table, "command");
  const std::string mount = text_of(table, "mount"), cgroup = text_of(table, "cgroup");
  Words words{"watch"};
  add_span(table, "stall_after_ms", "--stall-after", words);
  add_span(table, "fail_after_ms", "--fail-after", words);
  add_dropout_below(verdict, words);
  add_span(table, "duration_ms", "--duration", words);
  if (const std::string wish = text_of(table, "canary"); !wish.empty())
    append(words, {"--canary", wish});
  if (!mount.empty()) return append(words, {"--mount", mount}), shell_line({}, words);
  if (!cgroup.empty()) return append(words, {"--cgroup", cgroup}), shell_line({}, words);
  if (command.empty()) return {};
  words.emplace_back("--");
  append(words, command);
  return shell_line(text_of(table, "directory"), words);
}

// Empty: it was not set.
std::string setting_of(const Verdict& verdict, const char* key) {
  const auto found = verdict.settings.find(key);
  return found == verdict.settings.end() || found->second == "none" ? "" : found->second;
}

// What was asked for on the command line and is no part of a plan.
std::string plan_command(const toml::table& plan, const RunContents& contents) {
  const Verdict& verdict = *contents.run.verdict;
  Words words{"run", contents.run.directory + "/plan.toml"};
  if (setting_of(verdict, "until_stall") == "yes") {
    words.emplace_back("--until-stall");
    // A plan's own duration ends no such run.
    const auto duration = plan["plan"]["duration"].value<std::string>();
    if (duration && setting_of(verdict, "endless") == "no")
      append(words, {"--duration", *duration});
  }
  return shell_line({}, words);
}

std::string command_of_plan(const RunContents& contents) {
  try {
    const toml::table plan = toml::parse(contents.run.plan);
    if (const toml::table* const vdbench = plan["vdbench"].as_table())
      return vdbench_command(*vdbench);
    if (const toml::table* const watch = plan["watch"].as_table())
      return watch_command(*watch, *contents.run.verdict);
    return plan_command(plan, contents);
  } catch (const toml::parse_error&) {
    return {};
  }
}

// Earlier versions wrote it for people: "1.0 min".
std::string deadline_word(std::string told) {
  if (const auto space = told.find(' '); space != std::string::npos) told.erase(space, 1);
  if (told.ends_with("min")) told.erase(told.size() - 2);
  return parse_duration(told) ? told : std::string();
}

// Those of a reproduction fail a stall at once, unless asked otherwise. 0: not told.
void add_repro_thresholds(const Verdict& verdict, Words& words) {
  const bool told = verdict.stall_after_ms > 0;
  const double stall_after_ms = told ? verdict.stall_after_ms : kUsualStallAfterMs;
  if (stall_after_ms != kUsualStallAfterMs)
    append(words, {"--stall-after", span_word(stall_after_ms)});
  if (verdict.fail_after_ms > stall_after_ms)
    append(words, {"--fail-after", span_word(verdict.fail_after_ms)});
  add_dropout_below(verdict, words);
}

void add_params(const Verdict& verdict, Words& words) {
  constexpr std::array kNoParams{"variant", "fix", "expect", "hold", "deadline"};
  for (const auto& [key, value] : verdict.settings)
    if (std::find(kNoParams.begin(), kNoParams.end(), key) == kNoParams.end())
      append(words, {"--param", key + "=" + value});
}

std::string repro_command(const Verdict& verdict) {
  Words words{"repro", verdict.scenario};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) append(words, {option, value});
  };
  add("--variant", setting_of(verdict, "variant"));
  add("--fix", setting_of(verdict, "fix"));
  add("--expect", setting_of(verdict, "expect"));
  add("--deadline", deadline_word(setting_of(verdict, "deadline")));
  if (setting_of(verdict, "hold") == "yes") words.emplace_back("--hold");
  add_repro_thresholds(verdict, words);
  add_params(verdict, words);
  return shell_line({}, words);
}

}  // namespace

std::string rerun_command(const RunContents& contents) {
  if (!contents.run.verdict) return {};
  const Verdict& verdict = *contents.run.verdict;
  if (!verdict.scenario.empty()) return repro_command(verdict);
  return contents.run.plan.empty() ? "" : command_of_plan(contents);
}

}  // namespace stallproof
