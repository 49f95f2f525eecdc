// SPDX-License-Identifier: Apache-2.0
// Runs of SDs and WDs.
#include <algorithm>
#include <cmath>
#include <set>

#include "workloads/vdbench/plan_parts.h"

namespace stallproof {
namespace {

Failure fault_of(const RunDefinition& rd, std::string_view what) {
  return fault_at(rd.place, fmt::format("rd={}: {}", rd.name, what));
}

class RawPlanner {
 public:
  explicit RawPlanner(const ParameterSet& all) : all_(all) {}

  Result<> plan(const RunDefinition& rd) {
    const auto wds = workloads_of(rd);
    if (!wds) return Failure(wds.error());
    if (auto good = check_workloads(rd, *wds); !good) return good;
    const auto used = used_by(rd, *wds);
    if (!used) return Failure(used.error());
    auto loops = combinations(rd);
    if (!loops) return Failure(loops.error());
    for (auto& values : *loops) {
      if (auto good = check_loops(rd, *wds, values); !good) return good;
      PlannedRun run = begin_run(rd, std::move(values));
      run.rd = static_cast<std::size_t>(&rd - all_.runs.data());
      run.workloads = *used;
      if (rd.iorate < 0) run.curve_percent = -rd.iorate;
      run.rate = rd.iorate < 0 ? rate_of_percentage(-rd.iorate) : rd.iorate;
      run.bursts = rd.bursts;
      run.controlled = is_controlled(rd, *wds);
      if (run.rate == 0) return fault_of(rd, "iorate= is missing");
      runs.push_back(std::move(run));
      if (rd.iorate == kCurveRate)
        if (auto added = add_curve(runs, rd, false); !added) return added;
      if (runs.size() > kMostRuns) return fault_of(rd, "too many runs");
    }
    return {};
  }

  // Concatenation looks at every workload, used or not.
  Result<> check_concatenation() const {
    if (!all_.general.concatenate_sds) return {};
    for (const WorkloadDefinition& wd : all_.wds) {
      if (!wd.sds) return fault_at(wd.place, fmt::format("wd={}: no sd=", wd.name));
      if (auto found = sds_of(*wd.sds, nullptr, wd.place); !found) return Failure(found.error());
    }
    for (const RunDefinition& rd : all_.runs)
      if (rd.sds)
        if (auto found = sds_of(*rd.sds, nullptr, rd.place); !found) return Failure(found.error());
    return {};
  }

  std::vector<PlannedRun> runs;

 private:
  using Workloads = std::shared_ptr<const std::vector<RawWorkload>>;

  [[nodiscard]] Result<Workloads> used_by(const RunDefinition& rd,
                                          const std::vector<WorkloadDefinition>& wds) const {
    std::vector<RawWorkload> used;
    for (const WorkloadDefinition& wd : wds) {
      RawWorkload each{wd, {}};
      const auto sds = sds_of(*wd.sds, nullptr, rd.sds ? rd.place : wd.place);
      if (!sds) return Failure(sds.error());
      for (const StorageDefinition* const sd : *sds)
        each.sds.push_back(static_cast<std::size_t>(sd - all_.sds.data()));
      used.push_back(std::move(each));
    }
    return std::make_shared<const std::vector<RawWorkload>>(std::move(used));
  }

  [[nodiscard]] Result<std::vector<WorkloadDefinition>> workloads_of(
      const RunDefinition& rd) const {
    std::vector<WorkloadDefinition> wds;
    if (rd.sds && rd.wds.empty()) {
      wds.push_back(all_.default_wd);
    } else if (rd.wds.empty()) {
      return fault_of(rd, "no wd=");
    }
    for (const std::string& wanted : rd.wds) {
      const std::size_t before = wds.size();
      std::copy_if(all_.wds.begin(), all_.wds.end(), std::back_inserter(wds),
                   [&](const WorkloadDefinition& wd) { return matches_name(wanted, wd.name); });
      if (wds.size() == before) return fault_of(rd, fmt::format("there is no wd={}", wanted));
    }
    if (rd.sds)
      for (WorkloadDefinition& wd : wds) wd.sds = rd.sds;
    return wds;
  }

  // The SDs that the names mean, on one host or (null) on any.
  [[nodiscard]] Result<std::vector<const StorageDefinition*>> sds_of(const Names& names,
                                                                     const HostDefinition* host,
                                                                     const Place& place) const {
    std::vector<const StorageDefinition*> found;
    std::set<const StorageDefinition*> taken;
    for (const std::string& wanted : names) {
      bool match = false;
      for (const StorageDefinition& sd : all_.sds) {
        if (!matches_name(wanted, sd.name)) continue;
        match = true;
        if (host != nullptr && !host->luns.contains(sd.name)) continue;
        if (!taken.insert(&sd).second)
          return fault_at(place, fmt::format("sd={} is named twice", sd.name));
        found.push_back(&sd);
      }
      if (!match) return fault_at(place, fmt::format("there is no sd={}", wanted));
    }
    return found;
  }

  [[nodiscard]] Result<> check_workload(const RunDefinition& rd,
                                        const WorkloadDefinition& wd) const {
    std::size_t used = 0;
    for (const std::string& wanted : wd.hosts) {
      bool match = false;
      for (const HostDefinition& host : all_.hosts) {
        if (!matches_name(wanted, host.label)) continue;
        match = true;
        if (!wd.sds) return fault_of(rd, fmt::format("wd={} has no sd=", wd.name));
        const auto sds = sds_of(*wd.sds, &host, rd.place);
        if (!sds) return Failure(sds.error());
        used += sds->size();
        for (const StorageDefinition* sd : *sds)
          if (wd.xfersizes.size() == 3 && sd->align != wd.xfersizes[2])
            return fault_of(rd, fmt::format("xfersize=(least,most,align) of wd={} needs "
                                            "align={:.0f} of sd={}",
                                            wd.name, wd.xfersizes[2], sd->name));
      }
      if (!match) return fault_of(rd, fmt::format("there is no hd={} for wd={}", wanted, wd.name));
    }
    if (used == 0)
      return fault_of(rd, fmt::format("wd={} has no SD on the hosts it names", wd.name));
    return {};
  }

  [[nodiscard]] Result<> check_workloads(const RunDefinition& rd,
                                         const std::vector<WorkloadDefinition>& wds) const {
    if (wds.front().streams > 0 && wds.size() > 1)
      return fault_of(rd, "with streams= a run has one workload");
    for (const WorkloadDefinition& wd : wds)
      if (auto good = check_workload(rd, wd); !good) return good;
    if (auto good = check_priorities(rd, wds); !good) return good;
    return check_skew(rd, wds);
  }

  [[nodiscard]] static Result<> check_priorities(const RunDefinition& rd,
                                                 const std::vector<WorkloadDefinition>& wds) {
    std::set<int> priorities;
    bool any = false;
    for (const WorkloadDefinition& wd : wds) {
      any = any || wd.priority || wd.iorate != 0;
      if (wd.priority) priorities.insert(*wd.priority);
      if (wd.iorate != 0 && !wd.priority)
        return fault_of(rd, fmt::format("wd={}: iorate= of a workload needs a priority=", wd.name));
    }
    if (any && priorities.size() != wds.size())
      return fault_of(rd,
                      "with priority= or iorate= of one workload each needs a priority of its "
                      "own");
    return {};
  }

  [[nodiscard]] static Result<> check_skew(const RunDefinition& rd,
                                           const std::vector<WorkloadDefinition>& wds) {
    double total = 0;
    bool open = false, any = false;
    for (const WorkloadDefinition& wd : wds) {
      if (wd.iorate != 0) continue;
      any = true;
      total += wd.skew;
      open = open || wd.skew == 0;
    }
    // What is left goes to those that ask for nothing; it may be nothing, but not less than that.
    const bool good = open ? total <= 100.0001 : std::abs(total - 100) <= 0.0001;
    const bool one_without = std::all_of(wds.begin(), wds.end(),
                                         [](const WorkloadDefinition& wd) { return wd.skew == 0; });
    if (!any || good || one_without) return {};
    return fault_of(rd,
                    fmt::format("the skew= of its workloads makes {:.2f} percent, not 100", total));
  }

  [[nodiscard]] Result<> check_loops(const RunDefinition& rd,
                                     const std::vector<WorkloadDefinition>& wds,
                                     const std::vector<LoopValue>& loops) const {
    const double size = value_of(loops, "xfersize");
    if (!std::isnan(size) && std::fmod(std::trunc(size), 512) != 0)
      return fault_of(rd, fmt::format("xfersize={:.0f} is no multiple of 512 bytes", size));
    static_cast<void>(wds);
    if (!all_.general.concatenate_sds || !std::isnan(value_of(loops, "threads"))) return {};
    for (const WorkloadDefinition& wd : all_.wds)
      if (wd.threads == 0)
        return fault_of(
            rd, fmt::format("with concatenatesds wd={} needs threads=, or the run does", wd.name));
    return {};
  }

  [[nodiscard]] static bool is_controlled(const RunDefinition& rd,
                                          const std::vector<WorkloadDefinition>& wds) {
    return (rd.iorate != kMaxRate && rd.iorate != kCurveRate) ||
           std::any_of(wds.begin(), wds.end(), [](const WorkloadDefinition& wd) {
             return wd.skew != 0 || wd.iorate != 0 || wd.priority || wd.user_class;
           });
  }

  const ParameterSet& all_;
};

}  // namespace

Result<std::vector<PlannedRun>> plan_raw_runs(ParameterSet& all) {
  RawPlanner planner(all);
  if (auto good = planner.check_concatenation(); !good) return Failure(good.error());
  for (const RunDefinition& rd : all.runs)
    if (auto planned = planner.plan(rd); !planned) return Failure(planned.error());
  return std::move(planner.runs);
}

}  // namespace stallproof
