// SPDX-License-Identifier: Apache-2.0
// What would make a run again, from its verdict and its plan.toml, which may be a stranger's: each
// word is quoted for a shell, and a plan that is none gives no command.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "harness/base/markup.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

using Words = std::vector<std::string>;

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

void add_span(const toml::table& table, std::string_view key, const char* option, Words& words) {
  if (const auto ms = table[key].value<std::int64_t>())
    append(words,
           {option, *ms % 1000 == 0 ? fmt::format("{}s", *ms / 1000) : fmt::format("{}ms", *ms)});
}

// As run/watch.cpp writes it. A process that was watched by its number is no more.
std::string watch_command(const toml::table& table) {
  const Words command = texts_of(table, "command");
  const std::string mount = text_of(table, "mount"), cgroup = text_of(table, "cgroup");
  Words words{"watch"};
  add_span(table, "stall_after_ms", "--stall-after", words);
  add_span(table, "fail_after_ms", "--fail-after", words);
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

std::string command_of_plan(const RunContents& contents) {
  try {
    const toml::table plan = toml::parse(contents.run.plan);
    if (const toml::table* const vdbench = plan["vdbench"].as_table())
      return vdbench_command(*vdbench);
    if (const toml::table* const watch = plan["watch"].as_table()) return watch_command(*watch);
  } catch (const toml::parse_error&) {
    return {};
  }
  return "stallproof run " + shell_word(contents.run.directory + "/plan.toml");
}

void add_param_words(const RunContents& contents, std::string& command) {
  constexpr std::array kNoParams{"variant", "fix", "expect", "hold"};
  for (const auto& [key, value] : contents.run.verdict->settings)
    if (std::find(kNoParams.begin(), kNoParams.end(), key) == kNoParams.end())
      command += " --param " + shell_word(key + "=" + value);
}

}  // namespace

std::string rerun_command(const RunContents& contents) {
  if (!contents.run.verdict) return {};
  const Verdict& verdict = *contents.run.verdict;
  if (verdict.scenario.empty()) return contents.run.plan.empty() ? "" : command_of_plan(contents);
  std::string command = "stallproof repro " + shell_word(verdict.scenario);
  const auto word = [&](const char* key, const char* option) {
    const auto found = verdict.settings.find(key);
    if (found != verdict.settings.end() && !found->second.empty() && found->second != "none")
      command += fmt::format(" {} {}", option, shell_word(found->second));
  };
  word("variant", "--variant");
  word("fix", "--fix");
  add_param_words(contents, command);
  return command;
}

}  // namespace stallproof
