// SPDX-License-Identifier: Apache-2.0
// Runs of FSDs and FWDs.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/saturated.h"
#include "workloads/vdbench/file_tree.h"
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

Failure fault_of(const RunDefinition& rd, std::string_view what) {
  return fault_at(rd.place, fmt::format("rd={}: {}", rd.name, what));
}

class FilePlanner {
 public:
  explicit FilePlanner(const ParameterSet& all) : all_(all) {}

  Result<> plan(const RunDefinition& rd) {
    const auto fwds = workloads_of(rd);
    if (!fwds) return Failure(fwds.error());
    auto loops = combinations(rd);
    if (!loops) return Failure(loops.error());
    const auto used = workloads_with_places(rd, *fwds);
    if (!used) return Failure(used.error());
    bool formatted = false;
    for (auto& values : *loops) {
      for (const FileWorkload& workload : **used)
        if (auto good = check_workload(rd, workload, values); !good) return good;
      const bool format = rd.format.wanted && !(rd.format.once && formatted);
      if (format) add_format(rd, values, *used);
      formatted = formatted || format;
      if (rd.format.only) continue;
      const double rate = value_of(values, "fwdrate");
      runs.push_back(begin_run(rd, std::move(values)));
      runs.back().rd = static_cast<std::size_t>(&rd - all_.runs.data());
      runs.back().file_workloads = *used;
      runs.back().rate = std::isnan(rate) ? rd.fwdrate : std::trunc(rate);
      if (rd.fwdrate == kCurveRate)
        if (auto added = add_curve(runs, rd, true); !added) return added;
      if (runs.size() > kMostRuns) return fault_of(rd, "too many runs");
    }
    return {};
  }

  // With data validation a block is one key: all transfers at an anchor are whole numbers of it.
  [[nodiscard]] Result<> check_keys() const {
    if (!all_.general.validate) return {};
    for (const auto& [anchor, sizes] : transfers_)
      for (const long size : sizes)
        if (*sizes.begin() <= 0 || size % *sizes.begin() != 0)
          return fault_at(all_.runs.front().place,
                          fmt::format("{}: with data validation all xfersizes are multiples of the "
                                      "smallest ({}; a format has 131072 if fwd=format says no "
                                      "other)",
                                      anchor, *sizes.begin()));
    return {};
  }

  std::vector<PlannedRun> runs;

 private:
  [[nodiscard]] Result<std::vector<FileWorkloadDefinition>> workloads_of(
      const RunDefinition& rd) const {
    std::vector<FileWorkloadDefinition> fwds;
    if (rd.fwds.empty() && rd.fsds.empty()) return fault_of(rd, "no fwd= and no fsd=");
    if (rd.fwds.empty()) fwds.push_back(all_.default_fwd);
    for (const std::string& wanted : rd.fwds) {
      const std::size_t before = fwds.size();
      std::copy_if(all_.fwds.begin(), all_.fwds.end(), std::back_inserter(fwds),
                   [&](const auto& fwd) { return matches_name(wanted, fwd.name); });
      if (fwds.size() == before) return fault_of(rd, fmt::format("there is no fwd={}", wanted));
    }
    const bool skewed =
        std::any_of(fwds.begin(), fwds.end(), [](const auto& fwd) { return fwd.skew != 0; });
    for (FileWorkloadDefinition& fwd : fwds) {
      if (skewed && fwd.hosts != fwds.front().hosts)
        return fault_of(rd, "with skew= all its workloads name the same hosts");
      if (!rd.fsds.empty()) fwd.fsds = rd.fsds;
    }
    return fwds;
  }

  [[nodiscard]] Result<std::vector<std::size_t>> file_systems_of(
      const RunDefinition& rd, const FileWorkloadDefinition& fwd) const {
    std::vector<std::size_t> fsds;
    std::set<std::string> taken;
    for (const std::string& wanted : fwd.fsds) {
      bool match = false;
      for (std::size_t i = 0; i < all_.fsds.size(); ++i) {
        const std::string& name = all_.fsds[i].name;
        if (!matches_name(wanted, name)) continue;
        match = true;
        if (taken.insert(name).second) fsds.push_back(i);
      }
      if (!match) return fault_of(rd, fmt::format("there is no fsd={}", wanted));
    }
    return fsds;
  }

  [[nodiscard]] Result<std::size_t> hosts_of(const RunDefinition& rd,
                                             const FileWorkloadDefinition& fwd) const {
    std::size_t found = 0;
    for (const std::string& wanted : fwd.hosts)
      found += static_cast<std::size_t>(
          std::count_if(all_.hosts.begin(), all_.hosts.end(), [&](const HostDefinition& host) {
            return matches_name(wanted, host.label) || matches_name(wanted, host.address);
          }));
    if (found == 0)
      return fault_of(rd, fmt::format("fwd={} names no host that is defined", fwd.name));
    return found;
  }

  Result<> check_workload(const RunDefinition& rd, const FileWorkload& workload,
                          const std::vector<LoopValue>& loops) {
    const FileWorkloadDefinition& fwd = workload.fwd;
    if (fwd.sequential && fwd.read_percent >= 0)
      return fault_of(rd, fmt::format("fwd={}: rdpct= needs fileio=random (sequential is the "
                                      "default)",
                                      fwd.name));
    if (auto good = check_operations(rd, fwd); !good) return good;
    for (const std::size_t number : workload.fsds) {
      FileSystemDefinition fsd = all_.fsds[number];
      if (workload.hosts > 1 && !fsd.shared)
        return fault_of(rd, fmt::format("several hosts need shared=yes of fsd={}", fsd.name));
      if (fsd.shared && rd.format.wanted && !rd.format.clean && !rd.format.restart)
        return fault_of(rd, fmt::format("fsd={} is shared: format=(clean,only) in one run, then "
                                        "format=(restart,only) in another",
                                        fsd.name));
      if (auto good = check_target(rd, fwd, fsd); !good) return good;
      if (auto good = apply_loops(rd, fsd, loops, workload.hosts); !good) return good;
      if (auto good = check_tree(rd, fwd, fsd); !good) return good;
      note_transfers(rd, fwd, fsd, loops);
    }
    return {};
  }

  [[nodiscard]] static Result<> check_operations(const RunDefinition& rd,
                                                 const FileWorkloadDefinition& fwd) {
    if (fwd.read_percent < 0 || rd.operations.empty()) return {};
    const auto operation = file_operation(rd.operations.front());
    if (rd.operations.size() > 1 ||
        (operation != FileOperation::read && operation != FileOperation::write))
      return fault_of(rd, "with rdpct= the one operation is read or write");
    return {};
  }

  [[nodiscard]] Result<> check_target(const RunDefinition& rd, const FileWorkloadDefinition& fwd,
                                      const FileSystemDefinition& fsd) const {
    if (!fwd.target) return {};
    for (const FileSystemDefinition& target : all_.fsds) {
      if (target.name != *fwd.target) continue;
      if (target.depth != fsd.depth || target.width != fsd.width || target.files != fsd.files ||
          target.sizes != fsd.sizes)
        return fault_of(rd, fmt::format("fsd={} and the target fsd={} differ in their trees",
                                        fsd.name, target.name));
      return {};
    }
    return fault_of(rd, fmt::format("there is no target fsd={}", *fwd.target));
  }

  // Drawing the sizes of a large tree takes a second; loops seldom change it.
  double bytes_of(const FileSystemDefinition& fsd, const FileTree& tree) {
    std::vector<double> key = fsd.sizes;
    key.push_back(tree.files);
    const auto known = tree_bytes_.find(key);
    if (known != tree_bytes_.end()) return known->second;
    return tree_bytes_[key] = bytes_of_tree(fsd, tree);
  }

  [[nodiscard]] Result<> check_tree(const RunDefinition& rd, const FileWorkloadDefinition& fwd,
                                    const FileSystemDefinition& fsd) {
    const FileTree tree = count_tree(fsd);
    if (tree.folders > kMostFolders || tree.files > kMostFiles)
      return fault_of(rd, fmt::format("fsd={}: {:.0f} folders and {:.0f} files are too many",
                                      fsd.name, tree.folders, tree.files));
    const bool limited = fsd.total_size != kNoTotalSize;
    if (!limited && fsd.working_set == 0) return {};
    const double bytes = bytes_of(fsd, tree);
    const auto too_large = [&](const char* what, double wanted, double there) {
      return fault_of(
          rd, fmt::format("fwd={},fsd={}: {}={} is more than the {} there are", fwd.name, fsd.name,
                          what, size_text(wanted), size_text(there)));
    };
    if (limited && fsd.total_size > bytes) return too_large("totalsize", fsd.total_size, bytes);
    if (fsd.working_set > bytes) return too_large("wss", fsd.working_set, bytes);
    if (limited && fsd.total_size > 0 && fsd.working_set > fsd.total_size)
      return too_large("wss", fsd.working_set, fsd.total_size);
    return {};
  }

  void note_transfers(const RunDefinition& rd, const FileWorkloadDefinition& fwd,
                      const FileSystemDefinition& fsd, const std::vector<LoopValue>& loops) {
    const double loop = value_of(loops, "xfersize");
    std::set<long>& sizes = transfers_[fsd.anchor];
    const std::vector<double> used = std::isnan(loop) ? fwd.xfersizes : std::vector{loop};
    for (std::size_t i = 0; i < used.size(); i += 2) sizes.insert(saturated<long>(used[i]));
    if (rd.format.wanted) sizes.insert(saturated<long>(all_.format_fwd.xfersizes[0]));
  }

  // What file_systems_of and hosts_of find for each, kept with it.
  [[nodiscard]] Result<std::shared_ptr<const std::vector<FileWorkload>>> workloads_with_places(
      const RunDefinition& rd, const std::vector<FileWorkloadDefinition>& fwds) const {
    auto used = std::make_shared<std::vector<FileWorkload>>();
    for (const FileWorkloadDefinition& fwd : fwds) {
      const auto fsds = file_systems_of(rd, fwd);
      if (!fsds) return Failure(fsds.error());
      const auto hosts = hosts_of(rd, fwd);
      if (!hosts) return Failure(hosts.error());
      used->push_back({.fwd = fwd, .fsds = *fsds, .hosts = *hosts});
    }
    return std::shared_ptr<const std::vector<FileWorkload>>(std::move(used));
  }

  void add_format(const RunDefinition& rd, const std::vector<LoopValue>& loops,
                  const std::shared_ptr<const std::vector<FileWorkload>>& workloads) {
    runs.push_back(begin_run(rd, {}));
    PlannedRun& run = runs.back();
    run.rd = static_cast<std::size_t>(&rd - all_.runs.data());
    run.file_workloads = workloads;
    run.format_loops = loops;
    run.name = "format_for_" + rd.name;
    run.format = true;
    run.warmup = 0;
    run.rate = kMaxRate;
    if (!rd.format.limited) run.elapsed = std::nullopt;
  }

  const ParameterSet& all_;
  std::map<std::string, std::set<long>> transfers_;   // bytes, by anchor
  std::map<std::vector<double>, double> tree_bytes_;  // by sizes and number of files
};

}  // namespace

Result<> apply_loops(const RunDefinition& rd, FileSystemDefinition& fsd,
                     const std::vector<LoopValue>& loops, std::size_t hosts) {
  const double given_total = fsd.total_size;
  fsd.working_set = std::trunc(fsd.working_set / static_cast<double>(hosts));
  if (fsd.total_size != kNoTotalSize)
    fsd.total_size = std::trunc(fsd.total_size / static_cast<double>(hosts));
  for (const auto& [name, value] : loops) {
    const int whole = saturated<int>(std::clamp(value, -kMostFolders, kMostFolders));
    if (name == "depth") fsd.depth = whole;
    if (name == "width") fsd.width = whole;
    if (name == "files") fsd.files = whole;
    if (name == "wss") fsd.working_set = std::trunc(value);
    if (name == "sizes") fsd.sizes = {value};
    if (name == "totalsize") fsd.total_size = std::trunc(value);
  }
  if (fsd.total_size < 0) {
    if (given_total == kNoTotalSize)
      return fault_of(rd, fmt::format("totalsize={:.0f}% needs a totalsize= of fsd={}",
                                      -fsd.total_size, fsd.name));
    fsd.total_size = std::trunc(given_total * -fsd.total_size / 100);
  }
  if (fsd.total_size == 0) fsd.total_size = given_total;
  return {};
}

Result<std::vector<PlannedRun>> plan_file_runs(ParameterSet& all) {
  FilePlanner planner(all);
  for (const RunDefinition& rd : all.runs)
    if (auto planned = planner.plan(rd); !planned) return Failure(planned.error());
  if (auto good = planner.check_keys(); !good) return Failure(good.error());
  return std::move(planner.runs);
}

}  // namespace stallproof
