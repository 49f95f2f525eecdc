// SPDX-License-Identifier: Apache-2.0
// The writer of the reported stall: changes of the memory map, each of which takes mmap_lock for
// write, in one of several profiles (workloads/storm/).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <vector>

#include "workloads/catalogue.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

class MprotectStorm : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override { return profile_->run(ctx); }
  void cleanup() noexcept override { profile_->cleanup(); }

 private:
  std::unique_ptr<Workload> profile_;
};

Result<> MprotectStorm::configure(const LoadContext& load) {
  const auto name = load.settings.choice("profile", "raw", storm_profile_names());
  if (!name) return Failure{name.error()};
  profile_ = find_storm_profile(*name)->make();
  return profile_->configure(load);
}

Result<> MprotectStorm::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  return profile_->prepare(load);
}

std::string_view profile_help() {
  static const std::string help =
      fmt::format("what the calls are: {}", fmt::join(storm_profile_names(), ", "));
  return help;
}

std::span<const WorkloadChoice> profile_choices() {
  static const std::vector<WorkloadChoice> choices = [] {
    std::vector<WorkloadChoice> made;
    for (const StormProfile& profile : storm_profiles())
      made.push_back({"profile", profile.name, profile.summary});
    return made;
  }();
  return choices;
}

std::span<const WorkloadParameter> parameters() {
  static const std::array table{
      WorkloadParameter{"profile", "raw", profile_help()},
      WorkloadParameter{"mprotect-rate", "0",
                        "calls a second for each thread; 0: as often as the profile makes them"},
      WorkloadParameter{"burst-calls", "0", "calls made at once in each burst; 0: no bursts"},
      WorkloadParameter{"burst-every", "1s", "from the begin of one burst to the next"},
      WorkloadParameter{"mprotect-vmas", "own",
                        "raw: each thread has a mapping of its own, or all share one"},
      WorkloadParameter{"mprotect-split", "on",
                        "raw: on splits and merges mappings; off changes whole ones"},
      WorkloadParameter{"birth-rate", "0",
                        "thread-churn: threads started a second by each thread; 0: as many as go"},
      WorkloadParameter{"stack-size", "1MiB", "thread-churn: stack of the threads started"},
      WorkloadParameter{"profile-file", "none", "file: what stallproof record wrote"},
      WorkloadParameter{"speed", "1", "file: 2 replays twice as fast"},
      WorkloadParameter{"repeat", "0", "file: how often it is replayed; 0: until the end"},
  };
  return table;
}

constexpr std::string_view kExercises[] = {"mmap_lock.write", "vma.split_merge", "thread.churn"};

}  // namespace

WorkloadInfo mprotect_storm_workload();
WorkloadInfo mprotect_storm_workload() {
  return {.name = "mprotect-storm",
          .thread_prefix = "mprotect",
          .summary = "changes of the memory map: a writer on mmap_lock",
          .exercises = kExercises,
          .parameters = parameters(),
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<MprotectStorm>()); },
          .choices = profile_choices()};
}

}  // namespace stallproof
