// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/node_result.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/base/json_fields.h"
#include "harness/base/rfc3339.h"
#include "harness/gate/load_plan_words.h"
#include "harness/merge/each_index.h"
#include "harness/store/run_dir.h"
#include "harness/store/run_read.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfVerdict = 8U << 20U;  // a thousand stalls are half a MiB
constexpr std::size_t kMostOfSmallFile = 1U << 20U;
constexpr std::size_t kMarksKept = 50;
constexpr double kLongestRunS = 1e9;  // thirty years: hours that nobody ran prove nothing

// A pipe of that name would never end.
bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

std::string last_part(const std::string& path) {
  std::string name = path;
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name.substr(name.rfind('/') + 1);
}

double lasted_ms(const StallEntry& stall) {
  return stall.resolved_ms ? *stall.resolved_ms - stall.onset_ms : 1e18;
}

bool is_graver(const StallEntry& one, const StallEntry& other) {
  if (one.failing != other.failing) return one.failing;
  return lasted_ms(one) > lasted_ms(other);
}

void keep_gravest(NodeResult& result) {
  Verdict& verdict = result.verdict;
  result.stalls = verdict.stalls.size() + verdict.stalls_not_listed;
  result.failing_stalls = static_cast<std::uint64_t>(
      std::count_if(verdict.stalls.begin(), verdict.stalls.end(),
                    [](const StallEntry& stall) { return stall.failing; }));
  result.dropouts = verdict.dropouts.size() + verdict.dropouts_not_listed;
  std::stable_sort(verdict.stalls.begin(), verdict.stalls.end(), is_graver);
  if (verdict.stalls.size() > kKeptOfNode) verdict.stalls.resize(kKeptOfNode);
  std::stable_sort(verdict.dropouts.begin(), verdict.dropouts.end(),
                   [](const DropoutEntry& one, const DropoutEntry& other) {
                     return one.duration_ms > other.duration_ms;
                   });
  if (verdict.dropouts.size() > kKeptOfNode) verdict.dropouts.resize(kKeptOfNode);
  if (verdict.marks.size() > kMarksKept) verdict.marks.resize(kMarksKept);
  verdict.suspected.clear();
  verdict.stalls.shrink_to_fit();
  verdict.dropouts.shrink_to_fit();
}

void read_environment(NodeResult& result, std::string& tool_version) {
  const std::string path = result.directory + "/env.json";
  if (!exists(path)) return;
  const auto text = read_file(path, kMostOfSmallFile);
  if (!text) return result.notes.push_back(text.error().what);
  const auto environment = parse_environment(*text, path);
  if (!environment) return result.notes.push_back(environment.error().what);
  result.node = environment->node;
  tool_version = environment->tool_version;
  auto facts = read_coordination(*text, path);
  if (!facts) return result.notes.push_back(facts.error().what);
  result.coordination = std::move(*facts);
}

// Written when the run begins, so that it is there whatever became of it.
void read_manifest(NodeResult& result) {
  const std::string path = result.directory + "/manifest.json";
  if (!exists(path)) return;
  const auto text = read_file(path, kMostOfSmallFile);
  const auto document =
      text ? parse_json_object(*text, path) : Result<nlohmann::json>(Failure(text.error()));
  if (!document) return result.notes.push_back(document.error().what);
  std::string problem, state;
  JsonFields in(*document, "", problem);
  in.text("run", result.run);
  in.text("node", result.verdict.node);
  in.text("kernel", result.verdict.kernel);
  in.text("started", result.verdict.started);
  in.texts("labels", result.verdict.labels);
  in.text("tool_version", result.verdict.tool_version);
  in.text("state", state);
  if (!problem.empty()) return result.notes.push_back(fmt::format("{}: {}", path, problem));
  if (state == "crashing")
    result.problem = "unfinished: it crashed its machine for the evidence (--on-stall panic)";
}

void read_plan(NodeResult& result) {
  const std::string path = result.directory + "/plan.toml";
  if (!exists(path)) return;
  auto text = read_file(path, kMostOfSmallFile);
  if (!text) return result.notes.push_back(text.error().what);
  StoredRun plan_only;
  plan_only.plan = std::move(*text);
  result.plan = circumstances(plan_only);
}

bool tells_of_death(const Verdict& verdict) {
  return std::any_of(verdict.reasons.begin(), verdict.reasons.end(), [](const std::string& reason) {
    return reason.starts_with("node_died") || reason.starts_with("dump_failed");
  });
}

void read_finished(NodeResult& result) {
  const std::string path = result.directory + "/verdict.json";
  const auto text = read_file(path, kMostOfVerdict);
  auto verdict = text ? parse_verdict(*text, path) : Result<Verdict>(Failure(text.error()));
  if (!verdict) {
    result.state = NodeState::damaged;
    result.problem = "damaged: " + verdict.error().what;
    return;
  }
  if (!verdict->fleet.empty()) {
    result.state = NodeState::damaged;
    result.problem = fmt::format("damaged: {} is the verdict of a merge, not of a node", path);
    return;
  }
  if (verdict->duration_s > kLongestRunS) {
    result.state = NodeState::damaged;
    result.problem = fmt::format("damaged: {}: duration_s: longer than any run", path);
    return;
  }
  result.state = NodeState::finished;
  result.problem.clear();
  result.verdict = std::move(*verdict);
  result.run = result.verdict.run;
  if (!result.verdict.node.empty()) result.node = result.verdict.node;
  result.died = tells_of_death(result.verdict);
}

// Whoever reads the rest asks no file what it is: a pipe among them would never end.
bool holds_files_only(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unknown;
    const fs::file_type kind = entry->symlink_status(unknown).type();
    if (kind != fs::file_type::regular && kind != fs::file_type::directory) return false;
  }
  return !error;
}

void read_what_is_left(NodeResult& result, const ReadUnfinished& unfinished) {
  result.state = NodeState::unfinished;
  if (run_is_held(result.directory))
    result.problem = "unfinished: it still runs";
  else if (result.problem.empty())
    result.problem =
        "unfinished: no verdict: the run was killed, its node died, or it still runs elsewhere "
        "(run stallproof postmortem there)";
  if (!unfinished) return;
  if (holds_files_only(result.directory))
    unfinished(result.directory, result.verdict);
  else
    result.notes.emplace_back(
        "what it had written down is not looked at: a pipe, device or link is among its files");
}

bool is_run(const std::string& directory) {
  for (const char* name : {"/verdict.json", "/run.id", "/manifest.json", "/events.jsonl"})
    if (exists(directory + name)) return true;
  return false;
}

void read_directory(NodeResult& result, const ReadUnfinished& unfinished) {
  std::string tool_version;
  read_environment(result, tool_version);
  read_manifest(result);
  if (result.verdict.tool_version.empty()) result.verdict.tool_version = tool_version;
  if (result.node.empty()) result.node = result.verdict.node;
  read_plan(result);
  if (exists(result.directory + "/verdict.json"))
    read_finished(result);
  else
    read_what_is_left(result, unfinished);
  keep_gravest(result);
  if (const auto started = parse_rfc3339(result.verdict.started))
    result.started_ms = started->unix_ms;
}

}  // namespace

NodeResult read_node_result(const std::string& directory, const ReadUnfinished& unfinished) {
  NodeResult result;
  result.directory = directory;
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) {
    result.problem = fmt::format("missing: {}: {}", directory, std::strerror(errno));
  } else if (!S_ISDIR(info.st_mode)) {
    result.problem = fmt::format("missing: {}: not a directory", directory);
  } else if (!is_run(directory)) {
    result.problem = fmt::format("missing: {} has nothing of a run", directory);
  } else {
    read_directory(result, unfinished);
  }
  // A launcher that makes the directories often calls them by the nodes.
  if (result.node.empty()) result.node = last_part(directory);
  return result;
}

std::vector<NodeResult> read_node_results(const std::vector<std::string>& directories,
                                          const ReadUnfinished& unfinished) {
  std::vector<NodeResult> results(directories.size());
  for_each_index(directories.size(),
                 [&](std::size_t i) { results[i] = read_node_result(directories[i], unfinished); });
  return results;
}

}  // namespace stallproof
