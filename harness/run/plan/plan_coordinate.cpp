// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_coordinate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/base/prng.h"
#include "harness/run/plan/toml_words.h"
#include "workloads/catalogue.h"
#include "workloads/fault/fault_options.h"

namespace stallproof {
namespace {

constexpr std::array<std::pair<NodeShare, const char*>, 4> kShares{{
    {NodeShare::own_files, "own-files"},
    {NodeShare::ranges, "ranges"},
    {NodeShare::shared_files, "shared-files"},
    {NodeShare::same_file, "same-file"},
}};
constexpr const char* kPart = "file-part";
constexpr const char* kWriters = "file-writers";

bool can_share(const PlanLoad& load) { return load.parameters.has(kPart); }

bool in_shared_directory(const PlanLoad& load) {
  return can_share(load) && !load.path.starts_with('/');
}

// Of those that can share a file.
bool writes(const PlanLoad& load) {
  if (load.parameters.has("io-read-percent"))
    return load.parameters.text("io-read-percent", "") != "100";
  const auto options = read_fault_options(load.parameters);
  return !options || options->changes_file();
}

std::string problem_of(const PlanLoad& load, NodeShare share) {
  if (!can_share(load) || share == NodeShare::own_files) return {};
  for (const auto& [key, usual] : {std::pair{kPart, "all"}, std::pair{kWriters, "one"}})
    if (load.parameters.text(key, usual) != usual)
      return fmt::format("load '{}' says {} itself: leave it out, share = \"{}\" decides it",
                         load.name, key, node_share_name(share));
  for (const char* const key : {"io-file-size", "file-size"})
    if (share != NodeShare::shared_files && load.parameters.has(key) &&
        load.parameters.size(key, 0).value_or(1) == 0)
      return fmt::format("load '{}': {}: a file that is shared needs its size", load.name, key);
  if (share == NodeShare::shared_files && writes(load))
    return fmt::format(
        "load '{}' writes, and shared-files are read only (share = \"ranges\", "
        "\"same-file\" or \"own-files\")",
        load.name);
  return {};
}

void share_load(PlanLoad& load, NodeShare share, unsigned rank, unsigned count) {
  if (share == NodeShare::own_files) {
    if (load.path.starts_with('/') && !load.path.starts_with("/dev/"))
      load.path += fmt::format(".{}", rank + 1);
    return;
  }
  if (!can_share(load)) return;
  if (share == NodeShare::ranges && count > 1)
    load.parameters.set(kPart, fmt::format("{}/{}", rank + 1, count));
  if (share == NodeShare::same_file) load.parameters.set(kWriters, "many");
}

// By the load's own reading of what it will be given on a node.
std::string refusal_of(PlanLoad load, NodeShare share) {
  const WorkloadInfo* const info = find_workload(load.workload);
  if (share == NodeShare::own_files || info == nullptr) return {};
  share_load(load, share, 0, 2);
  const auto good =
      info->make()->configure({.file = {}, .settings = load.parameters, .threads = load.threads});
  return good ? ""
              : fmt::format("load '{}' cannot have share = \"{}\": {}", load.name,
                            node_share_name(share), good.error().what);
}

}  // namespace

const char* node_share_name(NodeShare share) {
  for (const auto& [each, name] : kShares)
    if (each == share) return name;
  return "own-files";
}

PlanCoordinate read_coordinate(const toml::table& table, TomlProblems& problems) {
  TomlReader reader(table, "[coordinate]", problems);
  PlanCoordinate coordinate;
  std::string share = node_share_name(coordinate.share);
  reader.text("share", share);
  const auto* const known = std::find_if(
      kShares.begin(), kShares.end(), [&share](const auto& each) { return share == each.second; });
  if (known == kShares.end())
    reader.problem(
        "share", fmt::format("'{}' is none of own-files, ranges, shared-files, same-file", share));
  else
    coordinate.share = known->first;
  reader.text("meet", coordinate.meet);
  if (!coordinate.meet.empty() && !coordinate.meet.starts_with('/'))
    reader.problem("meet", fmt::format("'{}' is no absolute path of a directory", coordinate.meet));
  reader.duration("wait", coordinate.wait);
  if (coordinate.wait < kSecond) reader.problem("wait", "is shorter than 1s");
  reader.refuse_unknown();
  return coordinate;
}

std::string coordinate_text(const PlanCoordinate& coordinate) {
  std::string text =
      fmt::format("\n[coordinate]\nshare = {}\n", toml_quoted(node_share_name(coordinate.share)));
  if (!coordinate.meet.empty()) text += fmt::format("meet = {}\n", toml_quoted(coordinate.meet));
  return text + fmt::format("wait = {}\n", toml_duration(coordinate.wait));
}

std::string coordinate_problem(const LoadPlan& plan) {
  if (!plan.coordinate) return {};
  const NodeShare share = plan.coordinate->share;
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads) {
      if (std::string problem = problem_of(load, share); !problem.empty()) return problem;
      if (std::string problem = refusal_of(load, share); !problem.empty()) return problem;
    }
  return {};
}

LoadPlan plan_of_node(const LoadPlan& plan, unsigned rank, unsigned count,
                      const std::string& shared) {
  LoadPlan own = plan;
  if (!plan.coordinate) return own;
  const NodeShare share = plan.coordinate->share;
  for (PlanProcess& process : own.processes)
    for (PlanLoad& load : process.loads) {
      share_load(load, share, rank, count);
      if (share != NodeShare::own_files && in_shared_directory(load))
        load.path = shared + "/" + load.path;
    }
  own.seed = Prng::mix(plan.seed + rank) | 1U;
  return own;
}

bool shares_directory(const LoadPlan& plan) {
  if (!plan.coordinate || plan.coordinate->share == NodeShare::own_files) return false;
  return std::any_of(plan.processes.begin(), plan.processes.end(), [](const PlanProcess& process) {
    return std::any_of(process.loads.begin(), process.loads.end(), in_shared_directory);
  });
}

std::uint64_t seed_of_job(const std::string& job) {
  std::uint64_t hash = 0;
  for (const char c : job) hash = Prng::mix(hash + static_cast<unsigned char>(c));
  return hash % 1'000'000'000 + 1;
}

}  // namespace stallproof
