// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/recorded_load.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace stallproof {
namespace {

constexpr std::int64_t kMostThreads = 65536;  // of a load; more is a slip

struct Kind {
  std::string_view workload;
  const char* parameter;  // of scenarios
};
constexpr std::array kKinds{
    Kind{"direct-io", "direct-threads"}, Kind{"direct-read", "direct-threads"},
    Kind{"mapped-fault", "fault-threads"}, Kind{"mprotect-storm", "mprotect-threads"}};

std::string as_word(const toml::node& value) {
  if (const auto text = value.value<std::string>()) return *text;
  if (const auto number = value.value<std::int64_t>()) return fmt::format("{}", *number);
  return {};
}

void add_load(const toml::table& load, std::map<std::string, std::int64_t>& threads,
              Settings& words) {
  const auto workload = load["workload"].value_or(std::string{});
  for (const Kind& kind : kKinds)
    if (kind.workload == workload)
      threads[kind.parameter] +=
          std::clamp(load["threads"].value_or(std::int64_t{1}), std::int64_t{0}, kMostThreads);
  if (load["profile"].value_or(std::string{}) == "thread-churn")
    words.set("writer", "thread-churn");
  for (const auto& [key, value] : load)
    if (key.str().ends_with("-rate")) words.set(std::string(key.str()), as_word(value));
}

// The loads of the process that has most of them: a stall lives in one process.
const toml::array* loads_of(const toml::table& plan) {
  const toml::array* most = nullptr;
  if (const toml::array* const processes = plan["process"].as_array())
    for (const toml::node& process : *processes) {
      const toml::table* const table = process.as_table();
      const toml::array* const loads = table == nullptr ? nullptr : (*table)["load"].as_array();
      if (loads != nullptr && (most == nullptr || loads->size() > most->size())) most = loads;
    }
  return most;
}

std::optional<toml::table> parse(const std::string& text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace

Settings recorded_load_words(const std::string& plan_toml) {
  Settings words;
  const auto plan = parse(plan_toml);
  const toml::array* const loads = plan ? loads_of(*plan) : nullptr;
  if (loads == nullptr) return words;
  std::map<std::string, std::int64_t> threads;
  for (const toml::node& load : *loads)
    if (const toml::table* const table = load.as_table()) add_load(*table, threads, words);
  for (const auto& [name, count] : threads) words.set(name, fmt::format("{}", count));
  if (const auto seed = (*plan)["plan"]["seed"].value<std::int64_t>())
    words.set("seed", fmt::format("{}", *seed));
  return words;
}

}  // namespace stallproof
