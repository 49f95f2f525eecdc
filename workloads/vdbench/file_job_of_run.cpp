// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/file_job_of_run.h"

#include <algorithm>
#include <cmath>

#include "harness/base/saturated.h"
#include "workloads/io/open_flags.h"
#include "workloads/vdbench/plan_parts.h"

namespace stallproof {
namespace {

constexpr double kShareTolerance = 0.0001;  // percent, of all shares together

class Maker {
 public:
  explicit Maker(const FileRunInput& input)
      : in_(input),
        rd_(input.set.runs[input.run.rd]),
        loops_(input.run.format ? input.run.format_loops : input.run.loops) {}

  Result<FileRun> make() {
    made_.rate = rate();
    made_.job.rate = made_.rate == kMaxRate ? 0 : made_.rate;
    made_.job.create_anchors = in_.set.general.create_anchors;
    made_.job.assume_complete = rd_.format.complete;
    made_.job.distribution = rd_.distribution;
    auto added = in_.run.format ? add_format() : add_workloads();
    if (!added) return Failure(added.error());
    give_slots();
    return std::move(made_);
  }

 private:
  [[nodiscard]] double loop_or(const char* name, double otherwise) const {
    const double value = value_of(loops_, name);
    return std::isnan(value) ? otherwise : value;
  }

  [[nodiscard]] double rate() const {
    if (in_.run.format) return kMaxRate;
    if (in_.run.curve_percent > 0) {
      const double exact = in_.measured_maximum * in_.run.curve_percent / 100;
      const double step = exact > 1000 ? 100 : 10;
      return std::max(step, std::ceil(exact / step) * step);
    }
    return in_.run.rate == kCurveRate ? kMaxRate : in_.run.rate;
  }

  Result<> add_workloads() {
    for (const FileWorkload& workload : *in_.run.file_workloads) {
      made_.workloads.push_back(workload.fwd.name);
      for (const std::size_t fsd : workload.fsds)
        for (const FileOperation operation : operations_of(workload.fwd))
          if (auto added = add_workload(workload, fsd, operation); !added) return added;
    }
    return share_rate();
  }

  [[nodiscard]] std::vector<FileOperation> operations_of(const FileWorkloadDefinition& fwd) const {
    const double loop = value_of(loops_, "operation");
    if (!std::isnan(loop)) return {static_cast<FileOperation>(static_cast<int>(loop))};
    std::vector<FileOperation> found;
    for (const std::string& word : rd_.operations)
      if (const auto operation = file_operation(word)) found.push_back(*operation);
    if (found.empty()) found.push_back(fwd.operation);
    return found;
  }

  Result<> add_workload(const FileWorkload& workload, std::size_t fsd, FileOperation operation) {
    const FileWorkloadDefinition& fwd = workload.fwd;
    const auto anchor = anchor_of(fsd, workload.hosts);
    if (!anchor) return Failure(anchor.error());
    const auto flags = flags_of(fwd.open_flags, fsd);
    if (!flags) return Failure(flags.error());
    const auto parts = static_cast<double>(workload.fsds.size() * workload.hosts *
                                           std::max<std::size_t>(1, rd_.operations.size()));
    const double threads = std::trunc(loop_or("threads", fwd.threads));
    const double size = value_of(loops_, "xfersize");
    JobFileWorkload made{
        .workload = static_cast<std::uint32_t>(made_.workloads.size() - 1),
        .anchor = *anchor,
        .operation = operation,
        .read_percent = loop_or("rdpct", fwd.read_percent),
        .xfersizes = std::isnan(size) ? fwd.xfersizes : std::vector{std::trunc(size)},
        .sequential = fwd.sequential,
        .delete_first = fwd.delete_first,
        .share_files = fwd.share_files,
        .select_random = fwd.select_random,
        .select_once = fwd.select_once,
        .poisson_midpoint = fwd.poisson_midpoint,
        .stop_after = fwd.stop_after,
        .threads = saturated<unsigned>(std::max(1.0, std::floor(threads / parts))),
        .share = fwd.skew / static_cast<double>(workload.fsds.size()),
        .open_flags = flags->flags,
        .sync_at_close = flags->sync_at_end};
    if (operation == FileOperation::copy || operation == FileOperation::move) {
      const auto target = target_of(workload);
      if (!target) return Failure(target.error());
      made.target = static_cast<std::int32_t>(*target);
    }
    if (*std::min_element(made.xfersizes.begin(), made.xfersizes.end()) < 0 ||
        made.xfersizes[0] < 1)
      return fault_of(fwd, "xfersize= is zero");
    made_.job.workloads.push_back(std::move(made));
    return {};
  }

  Result<std::uint32_t> target_of(const FileWorkload& workload) {
    if (!workload.fwd.target) return fault_of(workload.fwd, "copy and move need a target=");
    for (std::size_t i = 0; i < in_.set.fsds.size(); ++i)
      if (in_.set.fsds[i].name == *workload.fwd.target) return anchor_of(i, workload.hosts);
    return fault_of(workload.fwd, fmt::format("there is no target fsd={}", *workload.fwd.target));
  }

  [[nodiscard]] Result<OpenFlags> flags_of(const std::optional<Names>& given,
                                           std::size_t fsd) const {
    const FileSystemDefinition& definition = in_.set.fsds[fsd];
    const auto flags = open_flags_of_words(rd_.open_flags ? *rd_.open_flags
                                           : given        ? *given
                                                          : definition.open_flags);
    if (!flags)
      return fault_at(definition.place,
                      fmt::format("fsd={}: {}", definition.name, flags.error().what));
    return flags;
  }

  // FSDs with one anchor are one tree.
  Result<std::uint32_t> anchor_of(std::size_t number, std::size_t hosts) {
    FileSystemDefinition fsd = in_.set.fsds[number];
    if (auto good = apply_loops(rd_, fsd, loops_, hosts); !good) return Failure(good.error());
    JobAnchor made{.name = fsd.name,
                   .path = fsd.anchor,
                   .depth = fsd.depth,
                   .width = fsd.width,
                   .files = fsd.files,
                   .sizes = fsd.sizes,
                   .in_all_folders = fsd.files_in_all_folders,
                   .shared = fsd.shared,
                   .total_size = fsd.total_size == kNoTotalSize ? 0 : fsd.total_size,
                   .working_set = fsd.working_set};
    std::vector<JobAnchor>& anchors = made_.job.anchors;
    for (std::uint32_t i = 0; i < anchors.size(); ++i) {
      if (anchors[i].path != made.path) continue;
      made.name = anchors[i].name;
      if (made == anchors[i]) return i;
      return fault_at(fsd.place, fmt::format("fsd={} and fsd={} describe different trees at {}",
                                             anchors[i].name, fsd.name, fsd.anchor));
    }
    anchors.push_back(std::move(made));
    made_.fsds.push_back(number);
    return static_cast<std::uint32_t>(anchors.size() - 1);
  }

  // A share is divided evenly among a workload's FSDs; what is left, among those without.
  Result<> share_rate() {
    double given = 0;
    int open = 0;
    for (const JobFileWorkload& workload : made_.job.workloads) {
      given += workload.share;
      open += workload.share == 0 ? 1 : 0;
    }
    for (JobFileWorkload& workload : made_.job.workloads)
      if (workload.share == 0) workload.share = (100 - given) / open;
    const bool whole =
        open > 0 ? given <= 100 + kShareTolerance : std::abs(given - 100) <= kShareTolerance;
    if (whole) return {};
    return fault_at(rd_.place,
                    fmt::format("rd={}: the skew= of its workloads makes {:.2f} percent, "
                                "not 100",
                                in_.run.name, given));
  }

  // A format takes threads, transfers and flags of fwd=format, each anchor as many.
  Result<> add_format() {
    const FormatWish& wish = rd_.format;
    const FileWorkloadDefinition& fwd = in_.set.format_fwd;
    made_.job.format = {.wanted = true,
                        .clean_only = wish.clean,
                        .restart = wish.restart && !wish.clean,
                        .folders_only = wish.folders};
    made_.workloads.push_back("format");
    for (const FileWorkload& workload : *in_.run.file_workloads)
      for (const std::size_t fsd : workload.fsds) {
        const std::size_t known = made_.job.anchors.size();
        const auto anchor = anchor_of(fsd, workload.hosts);
        if (!anchor) return Failure(anchor.error());
        if (*anchor < known) continue;
        const auto flags = flags_of(fwd.open_flags, fsd);
        if (!flags) return Failure(flags.error());
        made_.job.workloads.push_back({.anchor = *anchor,
                                       .operation = FileOperation::create,
                                       .xfersizes = {std::max(1.0, std::trunc(fwd.xfersizes[0]))},
                                       .threads = static_cast<unsigned>(std::max(1, fwd.threads)),
                                       .open_flags = flags->flags,
                                       .sync_at_close = flags->sync_at_end});
      }
    return {};
  }

  void give_slots() {
    std::uint32_t next = 0;
    std::uint64_t seed = 1;
    for (JobFileWorkload& workload : made_.job.workloads) {
      workload.first_slot = next;
      next += workload.threads;
      seed = seed * 31 + workload.threads;
    }
    made_.job.seed = seed;
  }

  [[nodiscard]] Failure fault_of(const FileWorkloadDefinition& fwd, const std::string& what) const {
    return fault_at(rd_.place, fmt::format("rd={}, fwd={}: {}", in_.run.name, fwd.name, what));
  }

  const FileRunInput& in_;
  const RunDefinition& rd_;
  const std::vector<LoopValue>& loops_;
  FileRun made_;
};

}  // namespace

Result<FileRun> file_run_of(const FileRunInput& input) { return Maker(input).make(); }

}  // namespace stallproof
