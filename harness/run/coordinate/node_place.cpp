// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/node_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMostNodes = 65536;
constexpr std::size_t kLongestJob = 64;

bool is_job(std::string_view name) {
  return !name.empty() && name.size() <= kLongestJob && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

class Reader {
 public:
  explicit Reader(const EnvironmentLook& look) : look_(look) {}
  [[nodiscard]] bool has(const char* name) const { return look_(name) != nullptr; }
  [[nodiscard]] std::string text(const char* name) const {
    const char* const value = look_(name);
    return value == nullptr ? "" : value;
  }
  // A whole number below `limit`.
  [[nodiscard]] Result<unsigned> count(const char* name, std::uint64_t limit) const {
    if (!has(name)) return fail(fmt::format("[coordinate]: {} is not set", name));
    const auto value = parse_count(text(name));
    if (value && *value < limit) return static_cast<unsigned>(*value);
    return fail(
        fmt::format("[coordinate]: {}={} is not a whole number below {}", name, text(name), limit));
  }

 private:
  const EnvironmentLook& look_;
};

struct Names {
  const char* rank;
  const char* count;
};

Result<NodePlace> numbers(const Reader& from, const Names& names) {
  const auto count = from.count(names.count, kMostNodes + 1);
  if (!count) return Failure(count.error());
  if (*count == 0) return fail(fmt::format("[coordinate]: {}=0: no node", names.count));
  const auto rank = from.count(names.rank, *count);
  if (!rank) return Failure(rank.error());
  NodePlace place;
  place.rank = *rank;
  place.count = *count;
  return place;
}

Result<NodePlace> of_launcher(const Reader& from) {
  auto place = numbers(from, {"STALLPROOF_NODE_RANK", "STALLPROOF_NODE_COUNT"});
  if (!place) return place;
  place->job = from.text("STALLPROOF_JOB");
  if (!is_job(place->job))
    return fail(
        fmt::format("[coordinate]: STALLPROOF_JOB='{}' is no name for the nodes' common "
                    "job (1 to {} of letters, digits and ._-)",
                    place->job, kLongestJob));
  return place;
}

Result<NodePlace> of_step(const Reader& from) {
  auto place = numbers(from, {"SLURM_NODEID", "SLURM_STEP_NUM_NODES"});
  if (!place) return place;
  const std::string tasks = from.text("SLURM_STEP_NUM_TASKS");
  if (!tasks.empty() && tasks != fmt::format("{}", place->count))
    return fail(
        fmt::format("[coordinate]: the step has {} tasks on {} nodes (srun "
                    "--ntasks-per-node=1)",
                    tasks, place->count));
  place->job = from.text("SLURM_JOB_ID") + "." + from.text("SLURM_STEP_ID");
  if (!is_job(place->job))
    return fail(fmt::format("[coordinate]: '{}' is no step of Slurm", place->job));
  return place;
}

Result<NodePlace> place_of(const Reader& from) {
  if (from.has("STALLPROOF_NODE_RANK") || from.has("STALLPROOF_NODE_COUNT"))
    return of_launcher(from);
  if (from.has("SLURM_STEP_ID")) return of_step(from);
  if (from.has("SLURM_JOB_ID"))
    return fail(
        fmt::format("[coordinate]: job {} of Slurm, but not a step of it: start it by srun "
                    "with one task on each node",
                    from.text("SLURM_JOB_ID")));
  return fail(
      "[coordinate]: nothing says which node this is: start it by srun, or set "
      "STALLPROOF_NODE_RANK (from 0), STALLPROOF_NODE_COUNT and STALLPROOF_JOB "
      "(ci/nightly/slurm/README.md)");
}

}  // namespace

Result<NodePlace> node_place(const std::string& planned_meet, const EnvironmentLook& look) {
  const Reader from(look);
  auto place = place_of(from);
  if (!place) return place;
  place->meet = from.has("STALLPROOF_MEET") ? from.text("STALLPROOF_MEET") : planned_meet;
  if (!place->meet.starts_with('/'))
    return fail(
        fmt::format("[coordinate]: meet = '{}': give the path of a directory that all "
                    "nodes see, or STALLPROOF_MEET",
                    place->meet));
  return place;
}

}  // namespace stallproof
