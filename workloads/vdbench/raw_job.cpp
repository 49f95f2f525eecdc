// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/raw_job.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/base/saturated.h"
#include "workloads/io/open_flags.h"
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/raw_validation.h"

namespace stallproof {
namespace {

constexpr double kMostPercent = 200;  // a range beyond this is one of bytes
constexpr double kMegabyte = 1 << 20;

double loop_or(const PlannedRun& run, const std::string& name, double otherwise) {
  const double value = value_of(run.loops, name);
  return std::isnan(value) ? otherwise : value;
}

double rounded_down(double value, double unit) { return std::floor(value / unit) * unit; }

struct Range {
  double low = 0, high = 0;
  double hit_low = 0, hit_high = 0;
  bool wraps = false;
};

// Bytes of range= and of the hit area in front of it.
Range range_in_bytes(const WorkloadDefinition& wd, const StorageDefinition& sd, double size,
                     double hit_area, bool stops_at_end) {
  std::array<double, 2> given = wd.range.value_or(sd.range.value_or(std::array<double, 2>{0, 100}));
  if (given[1] > 100 && given[1] <= kMostPercent && stops_at_end) given[1] = 100;
  Range range;
  const double low = given[0] <= 100 ? std::floor(size * given[0] / 100) : given[0];
  range.low = low + hit_area;
  range.hit_low = low;
  range.hit_high = low + hit_area;
  range.wraps = given[1] > 100 && given[1] <= kMostPercent;
  range.high = given[1] <= kMostPercent ? std::floor(size * given[1] / 100) : given[1];
  return range;
}

class Maker {
 public:
  explicit Maker(const RawRunInput& input) : in_(input) {}

  Result<RawRun> make() {
    const RunDefinition& rd = in_.set.runs[in_.run.rd];
    run_.job.distribution = rd.distribution;
    run_.rate = rate();
    for (const RawWorkload& workload : *in_.run.workloads) {
      run_.workloads.push_back(workload.wd.name);
      for (const std::size_t sd : workload.sds)
        if (auto added = add_stream(workload, sd); !added) return Failure(added.error());
    }
    share_rate();
    settle_files();
    settle_limits(rd);
    if (auto settled = settle_validation(in_.set.general, in_.key_blocks, run_); !settled)
      return Failure(settled.error());
    if (auto good = check_validated(in_, run_); !good) return Failure(good.error());
    return std::move(run_);
  }

 private:
  [[nodiscard]] double rate() const {
    const PlannedRun& run = in_.run;
    if (run.curve_percent > 0) {
      const double exact = in_.measured_maximum * run.curve_percent / 100;
      const double step = exact > 1000 ? 100 : 10;
      return std::max(step, std::ceil(exact / step) * step);
    }
    const double rate = loop_or(run, "iorate", run.rate);
    return rate == kCurveRate ? kMaxRate : rate;
  }

  Result<std::uint32_t> file_of(std::size_t sd_index, const WorkloadDefinition& wd) {
    const auto known = files_.find(sd_index);
    if (known != files_.end()) return known->second;
    const StorageDefinition& sd = in_.set.sds[sd_index];
    const RunDefinition& rd = in_.set.runs[in_.run.rd];
    const auto flags = open_flags_of_words(rd.open_flags   ? *rd.open_flags
                                           : wd.open_flags ? *wd.open_flags
                                                           : sd.open_flags);
    if (!flags) return fault_at(sd.place, fmt::format("sd={}: {}", sd.name, flags.error().what));
    run_.job.files.push_back({.name = sd.name,
                              .path = in_.luns[sd_index].path,
                              .size = size_of_sd(sd, in_.luns[sd_index]),
                              .align = saturated<std::uint64_t>(sd.align),
                              .threads = threads_of_sd(sd, in_.run),
                              .open_flags = flags->flags,
                              .read_only = true,
                              .sync_at_end = flags->sync_at_end,
                              .first_slot = in_.first_slots[sd_index]});
    run_.sds.push_back(sd_index);
    const auto number = static_cast<std::uint32_t>(run_.job.files.size() - 1);
    files_[sd_index] = number;
    return number;
  }

  Result<> add_stream(const RawWorkload& workload, std::size_t sd_index) {
    const WorkloadDefinition& wd = workload.wd;
    const auto file = file_of(sd_index, wd);
    if (!file) return Failure(file.error());
    const double seek = loop_or(in_.run, "seekpct", wd.seek_percent);
    JobStream stream{.workload = static_cast<std::uint32_t>(run_.workloads.size() - 1),
                     .file = *file,
                     .xfersizes = wd.xfersizes,
                     .read_percent = loop_or(in_.run, "rdpct", wd.read_percent),
                     .seek_percent = std::max(0.0, seek),
                     .read_hits = loop_or(in_.run, "rhpct", wd.read_hits),
                     .write_hits = loop_or(in_.run, "whpct", wd.write_hits),
                     .stop_at_end = seek < 0,
                     .hot_middle = wd.hotband || wd.poisson_midpoint != 0,
                     .parts = static_cast<unsigned>(std::max(1, wd.streams))};
    const double size = value_of(in_.run.loops, "xfersize");
    if (!std::isnan(size)) stream.xfersizes = {std::trunc(size)};
    if (wd.stride)
      stream.stride = std::array{saturated<std::uint64_t>((*wd.stride)[0]),
                                 saturated<std::uint64_t>((*wd.stride)[1])};
    if (auto placed = place(stream, wd, sd_index); !placed) return placed;
    if (stream.read_percent < 100) run_.job.files[*file].read_only = false;
    run_.job.streams.push_back(std::move(stream));
    return {};
  }

  // Where the stream's I/O goes: whole transfers inside its range.
  Result<> place(JobStream& stream, const WorkloadDefinition& wd, std::size_t sd_index) {
    const StorageDefinition& sd = in_.set.sds[sd_index];
    const auto size = static_cast<double>(size_of_sd(sd, in_.luns[sd_index]));
    const auto unit = static_cast<double>(largest_of(stream.xfersizes));
    if (unit < 1) return fault_of(wd, "xfersize= is zero");
    const bool hits = stream.read_hits > 0 || stream.write_hits > 0;
    const double hit_area = hits ? loop_or(in_.run, "hitarea", sd.hitarea) : 0;
    Range range = range_in_bytes(wd, sd, size, hit_area, stream.stop_at_end);
    if (range.low >= range.high)
      return fault_of(wd, "range= leaves nothing: its second value must be higher than its first");
    const bool skips = in_.luns[sd_index].device || wd.skip_first;
    if (skips && range.low == 0) range.low = unit;
    if (skips && hits && range.hit_low == 0) range.hit_low = unit;
    range.low = rounded_down(range.low, unit) + sd.offset;
    range.high = rounded_down(range.high, unit) + sd.offset;
    range.hit_low = rounded_down(range.hit_low, unit) + sd.offset;
    range.hit_high = rounded_down(range.hit_high, unit) + sd.offset;
    // An offset moves what would end behind the SD by one transfer.
    while (!range.wraps && range.high > size && range.high > range.low) range.high -= unit;
    if (range.high - range.low < 2 * unit || (hits && range.hit_high - range.hit_low < 2 * unit))
      return fault_of(wd, fmt::format("sd={} of {:.0f} bytes is too small for its range=, hitarea= "
                                      "and an xfersize of {:.0f}: two transfers must fit",
                                      sd.name, size, unit));
    stream.low = saturated<std::uint64_t>(range.low);
    stream.high = saturated<std::uint64_t>(range.high);
    stream.hit_low = saturated<std::uint64_t>(range.hit_low);
    stream.hit_high = saturated<std::uint64_t>(range.hit_high);
    stream.wraps = range.wraps;
    return {};
  }

  [[nodiscard]] Failure fault_of(const WorkloadDefinition& wd, const std::string& what) const {
    return fault_at(in_.set.runs[in_.run.rd].place,
                    fmt::format("rd={}, wd={}: {}", in_.run.name, wd.name, what));
  }

  // A workload's share is its skew=; what is left is divided among those without. Its SDs divide it
  // evenly.
  void share_rate() {
    if (!in_.run.controlled && run_.rate == kMaxRate) return;
    double given = 0, fixed = 0;
    int open = 0;
    for (const RawWorkload& workload : *in_.run.workloads) {
      fixed += workload.wd.iorate;
      if (workload.wd.iorate != 0) continue;
      given += workload.wd.skew;
      open += workload.wd.skew == 0 ? 1 : 0;
    }
    const double rest = open == 0 ? 0 : std::max(0.0, 100 - given) / open;
    for (JobStream& stream : run_.job.streams) {
      const RawWorkload& workload = (*in_.run.workloads)[stream.workload];
      const auto sds = static_cast<double>(workload.sds.size());
      const double share = workload.wd.skew != 0 ? workload.wd.skew : rest;
      stream.rate = workload.wd.iorate != 0 ? workload.wd.iorate / sds
                                            : std::max(0.0, run_.rate - fixed) * share / 100 / sds;
    }
  }

  void settle_files() {
    std::uint64_t seed = 1;
    for (const JobFile& file : run_.job.files) seed = seed * 31 + file.size;
    run_.job.seed = seed;
  }

  void settle_limits(const RunDefinition& rd) {
    double all = 0;
    for (const JobFile& file : run_.job.files) all += static_cast<double>(file.size);
    const auto bytes = [all](double given) { return given < 100 ? given * all : given; };
    run_.max_bytes = bytes(rd.max_data);
    run_.max_bytes_read = bytes(rd.max_data_read);
    run_.max_bytes_written = bytes(rd.max_data_written);
  }

  const RawRunInput& in_;
  RawRun run_;
  std::map<std::size_t, std::uint32_t> files_;
};

}  // namespace

unsigned threads_of_sd(const StorageDefinition& sd, const PlannedRun& run) {
  return saturated<unsigned>(std::max(1.0, std::trunc(loop_or(run, "threads", sd.threads))));
}

std::uint64_t size_of_sd(const StorageDefinition& sd, const Lun& lun) {
  return sd.size > 0 ? saturated<std::uint64_t>(sd.size) : lun.size;
}

Result<RawRun> raw_run_of(const RawRunInput& input) { return Maker(input).make(); }

Result<std::optional<RawRun>> format_run_of(const ParameterSet& set, const std::vector<Lun>& luns,
                                            const std::vector<std::uint32_t>& first_slots,
                                            const std::vector<bool>& used,
                                            const std::vector<std::uint32_t>& key_blocks) {
  RawRun run{.workloads = {kFormatName}, .rate = kMaxRate};
  for (std::size_t i = 0; i < set.sds.size(); ++i) {
    const StorageDefinition& sd = set.sds[i];
    const std::uint64_t size = size_of_sd(sd, luns[i]);
    if (!used[i] || luns[i].device) continue;
    if (luns[i].size >= size && !set.general.format_sds) continue;
    const auto flags = open_flags_of_words(sd.open_flags);
    if (!flags) return fault_at(sd.place, fmt::format("sd={}: {}", sd.name, flags.error().what));
    const auto there = static_cast<double>(set.general.format_sds ? 0 : luns[i].size);
    run.job.streams.push_back({.workload = 0,
                               .file = static_cast<std::uint32_t>(run.job.files.size()),
                               .xfersizes = {std::trunc(set.general.format_xfersize)},
                               .read_percent = 0,
                               .seek_percent = 0,
                               .low = saturated<std::uint64_t>(rounded_down(there, kMegabyte)),
                               .high = size,
                               .stop_at_end = true});
    run.job.files.push_back({.name = sd.name,
                             .path = luns[i].path,
                             .size = size,
                             .threads = kFormatThreads,
                             .open_flags = flags->flags,
                             .first_slot = first_slots[i]});
    run.sds.push_back(i);
  }
  if (run.job.files.empty()) return std::optional<RawRun>();
  if (auto settled = settle_format_validation(set.general, key_blocks, run); !settled)
    return Failure(settled.error());
  return std::optional<RawRun>(std::move(run));
}

Names not_executed(const Plan& plan) {
  Names found = plan.set.general.not_executed;
  const auto note = [&found](bool used, const char* what) {
    if (used && std::find(found.begin(), found.end(), what) == found.end())
      found.emplace_back(what);
  };
  note(plan.set.general.concatenate_sds, "concatenatesds");
  note(plan.file_systems && plan.set.general.validate, "validate (of files)");
  for (const PlannedRun& run : plan.runs) {
    note(run.bursts, "distribution=variable");
    if (!run.workloads) continue;
    for (const RawWorkload& workload : *run.workloads) {
      note(workload.wd.priority.has_value(), "priority");
      note(workload.wd.user_class, "user");
      note(workload.wd.poisson_midpoint != 0, "seekpct=poisson");
    }
  }
  return found;
}

}  // namespace stallproof
