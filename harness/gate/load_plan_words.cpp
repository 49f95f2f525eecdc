// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/load_plan_words.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <optional>
#include <set>
#include <sstream>

#include "harness/base/units.h"

namespace stallproof {
namespace {

using Words = std::map<std::string, std::string>;

// They differ from run to run and change nothing of the load.
const std::set<std::string, std::less<>> kPassing{
    "plan: plan.seed",       "plan: plan.target",       "plan: params.seed",
    "plan: watch.target",    "plan: watch.mount",       "plan: watch.cgroup",
    "plan: watch.directory", "plan: watch.duration_ms", "plan: vdbench.directory",
    "plan: vdbench.command", "settings: seed",          "settings: ended_by",
    "settings: watch"};
constexpr std::string_view kVdbench = "plan: vdbench.";
// As they are named they are among the settings; where they lie changes nothing.
constexpr std::string_view kVdbenchFiles = "plan: vdbench.files";

constexpr const char* kFileSystem = "target's file system";
// Runs of earlier versions do not tell them: what one of two does not know is no difference.
const std::set<std::string, std::less<>> kToldByLaterOnes{kFileSystem, "settings: parameters",
                                                          "settings: endless"};

void put(Words& words, const std::string& name, const std::string& value) {
  if (!kPassing.contains(name) && !name.starts_with(kVdbenchFiles)) words[name] = value;
}

void flatten(const toml::node& node, const std::string& name, Words& words) {
  if (const toml::table* table = node.as_table()) {
    for (const auto& entry : *table)
      flatten(entry.second, fmt::format("{}.{}", name, entry.first.str()), words);
  } else if (const toml::array* list = node.as_array()) {
    for (std::size_t i = 0; i < list->size(); ++i)
      flatten((*list)[i], fmt::format("{}[{}]", name, i), words);
  } else if (const auto* text = node.as_string()) {
    put(words, name, text->get());
  } else {
    std::ostringstream value_text;
    node.visit([&value_text](const auto& value) { value_text << value; });
    put(words, name, value_text.str());
  }
}

bool has_vdbench_plan(const Words& words) {
  const auto first = words.lower_bound(std::string(kVdbench));
  return first != words.end() && first->first.starts_with(kVdbench);
}

bool is_told_by(const Words& words, const std::string& name) {
  if (kToldByLaterOnes.contains(name)) return words.contains(name);
  return !name.starts_with(kVdbench) || has_vdbench_plan(words);
}

std::optional<toml::table> parse(const std::string& plan) {
  try {
    return toml::parse(plan);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

void add_plan(const std::string& plan, Words& words) {
  const auto table = parse(plan);
  if (!table) {
    words["plan"] = plan;  // not ours: equal or not
    return;
  }
  for (const auto& entry : *table)
    flatten(entry.second, fmt::format("plan: {}", entry.first.str()), words);
}

}  // namespace

Words circumstances(const StoredRun& run) {
  Words words;
  if (run.verdict) {
    words["node"] = run.verdict->node;
    words["scenario"] = run.verdict->scenario;
    if (!run.verdict->target_fstype.empty()) put(words, kFileSystem, run.verdict->target_fstype);
    for (const auto& [key, value] : run.verdict->settings) put(words, "settings: " + key, value);
  }
  if (run.environment) {
    words["machine"] = run.environment->machine;
    words["processors"] = fmt::format("{}", run.environment->cpus);
  }
  add_plan(run.plan, words);
  return words;
}

std::string first_difference(const Words& wanted, const Words& found) {
  const auto say = [](const std::string& name, const std::string* is, const std::string* was) {
    const auto quoted = [](const std::string* value) {
      return value == nullptr ? std::string("nothing") : "'" + *value + "'";
    };
    return fmt::format("{}: {}, not {}", name, quoted(is), quoted(was));
  };
  for (const auto& [name, value] : wanted) {
    const auto other = found.find(name);
    if (other == found.end() && !is_told_by(found, name)) continue;
    if (other == found.end()) return say(name, nullptr, &value);
    if (other->second != value) return say(name, &other->second, &value);
  }
  for (const auto& [name, value] : found)
    if (!wanted.contains(name) && is_told_by(wanted, name)) return say(name, &value, nullptr);
  return {};
}

double warmup_ms_of(const std::string& plan) {
  const auto table = parse(plan);
  if (!table) return 0;
  const auto text = (*table)["plan"]["warmup"].value<std::string>();
  const auto span = text ? parse_duration(*text) : Result<Nanos>(0);
  return span ? static_cast<double>(*span) / 1e6 : 0;
}

}  // namespace stallproof
