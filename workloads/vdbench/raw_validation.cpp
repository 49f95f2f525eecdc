// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/raw_validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "harness/base/saturated.h"
#include "workloads/io/validation_block.h"
#include "workloads/vdbench/plan_parts.h"

namespace stallproof {
namespace {

// An SD must have room for what vdbench may have queued, twice where a rate or shares are kept,
// lest nearly all of its blocks are busy. Our queues are shorter; the rule is kept as it is.
constexpr std::uint64_t kQueued = 2000, kReserve = 256;

// The sizes of transfers that xfersize= names; of (least, most, align) these three.
std::vector<double> sizes_of(const std::vector<double>& xfersizes) {
  if (xfersizes.size() == 3) return xfersizes;
  std::vector<double> sizes;
  for (std::size_t i = 0; i < xfersizes.size(); i += 2) sizes.push_back(xfersizes[i]);
  return sizes;
}

bool divides(std::uint64_t block, double size) {
  return std::fmod(size, static_cast<double>(block)) == 0;
}

// By SD, of all runs but the format.
std::vector<std::set<double>> transfers_of(const Plan& plan) {
  std::vector<std::set<double>> sizes(plan.set.sds.size());
  for (const PlannedRun& run : plan.runs) {
    if (!run.workloads) continue;
    const double loop = value_of(run.loops, "xfersize");
    for (const RawWorkload& workload : *run.workloads)
      for (const std::size_t sd : workload.sds)
        for (const double size : sizes_of(workload.wd.xfersizes))
          sizes[sd].insert(std::isnan(loop) ? size : std::trunc(loop));
  }
  return sizes;
}

bool may_be_formatted(const ParameterSet& set, const StorageDefinition& sd) {
  return (sd.size > 0 || set.general.format_sds) &&
         std::any_of(sd.luns.begin(), sd.luns.end(),
                     [](const std::string& lun) { return !lun.starts_with("/dev"); });
}

Failure fault_of(const RawRunInput& input, const std::string& sd, const std::string& what) {
  return fault_at(input.set.runs[input.run.rd].place,
                  fmt::format("rd={}, sd={}: {}", input.run.name, sd, what));
}

Result<> check_room(const RawRunInput& input, const RawRun& run, const JobStream& stream) {
  const JobFile& file = run.job.files[stream.file];
  const std::uint64_t largest = run.job.largest_transfer(stream.file);
  const std::uint64_t queued = run.job.paced() ? 2 * kQueued : kQueued;
  const std::uint64_t blocks = queued + kReserve + file.threads;
  const auto check = [&](const char* what, std::uint64_t bytes) -> Result<> {
    if (bytes / largest >= blocks) return {};
    return fault_of(input, file.name,
                    fmt::format("SD size for cache {} not large enough: data validation needs {} "
                                "({} + {} threads + {}) times xfersize={}, {} bytes, but has {}",
                                what, blocks, queued, file.threads, kReserve, largest,
                                blocks * largest, bytes));
  };
  if (auto good = check("misses", stream.high - stream.low); !good) return good;
  if (stream.hit_high == stream.hit_low || (stream.read_hits <= 0 && stream.write_hits <= 0))
    return {};
  return check("hits", stream.hit_high - stream.hit_low);
}

// Offsets and transfers must be whole key blocks.
Result<> check_stream(const RawRunInput& input, const RawRun& run, const JobStream& stream) {
  const JobFile& file = run.job.files[stream.file];
  for (const double size : sizes_of(stream.xfersizes))
    if (!divides(file.key_block, size))
      return fault_of(input, file.name,
                      fmt::format("with data validation all transfer sizes of an SD must be a "
                                  "multiple of the lowest: {:.0f} is none of {} (a format may "
                                  "have added {:.0f})",
                                  size, file.key_block, input.set.general.format_xfersize));
  const std::array<std::uint64_t, 6> places = {
      stream.low,      stream.high, stream.hit_low,
      stream.hit_high, file.align,  stream.stride ? (*stream.stride)[0] : 0};
  const bool is_whole = std::all_of(places.begin(), places.end(), [&](std::uint64_t place) {
    return place % file.key_block == 0;
  });
  if (is_whole) return {};
  return fault_of(input, file.name,
                  fmt::format("with data validation offset=, align= and stride= must be multiples "
                              "of the lowest xfersize, {}",
                              file.key_block));
}

}  // namespace

std::vector<std::uint32_t> key_block_sizes(const Plan& plan) {
  std::vector<std::uint32_t> blocks;
  const auto sizes = transfers_of(plan);
  const auto format = saturated<std::uint64_t>(plan.set.general.format_xfersize);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    double block = sizes[i].empty() ? 0 : *sizes[i].begin();
    // A format that these sizes do not fit fails when it must be made, and not before.
    const bool fits = format > 0 && std::all_of(sizes[i].begin(), sizes[i].end(),
                                                [&](double size) { return divides(format, size); });
    if (fits && !sizes[i].empty() && may_be_formatted(plan.set, plan.set.sds[i]))
      block = std::min(block, static_cast<double>(format));
    blocks.push_back(plan.set.general.validate ? saturated<std::uint32_t>(block) : 0);
  }
  return blocks;
}

std::uint64_t largest_transfer(const Plan& plan) {
  double largest = plan.set.general.format_xfersize;
  for (const std::set<double>& sizes : transfers_of(plan))
    if (!sizes.empty()) largest = std::max(largest, *sizes.rbegin());
  return saturated<std::uint64_t>(largest);
}

Result<> settle_validation(const General& general, const std::vector<std::uint32_t>& key_blocks,
                           RawRun& run) {
  if (!general.validate) return {};
  run.job.validation = {.on = true,
                        .read_after_write = general.read_after_write,
                        .no_preread = general.no_preread,
                        .keep_times = general.keep_times};
  for (std::size_t i = 0; i < run.job.files.size(); ++i) {
    JobFile& file = run.job.files[i];
    const std::size_t sd = run.sds[i];
    file.key_block = sd < key_blocks.size() ? key_blocks[sd] : 0;
    file.key_map = static_cast<std::uint32_t>(sd);
    if (file.key_block == 0 || file.key_block % kValidationSector != 0)
      return fail(
          fmt::format("sd={}: data validation needs transfers of whole sectors of {} "
                      "bytes, and its smallest is of {}",
                      file.name, kValidationSector, file.key_block));
  }
  return {};
}

Result<> check_validated(const RawRunInput& input, const RawRun& run) {
  if (!run.job.validation.on) return {};
  for (const JobStream& stream : run.job.streams) {
    if (auto good = check_stream(input, run, stream); !good) return good;
    if (auto good = check_room(input, run, stream); !good) return good;
  }
  return {};
}

Result<> settle_format_validation(const General& general,
                                  const std::vector<std::uint32_t>& key_blocks, RawRun& run) {
  if (auto settled = settle_validation(general, key_blocks, run); !settled) return settled;
  if (!general.validate) return {};
  for (JobStream& stream : run.job.streams) {
    const JobFile& file = run.job.files[stream.file];
    if (!divides(file.key_block, stream.xfersizes[0]))
      return fail(
          fmt::format("sd={}: its format writes {:.0f} bytes at a time; with data "
                      "validation that must be a multiple of the lowest xfersize, {}",
                      file.name, stream.xfersizes[0], file.key_block));
    stream.low = stream.low / file.key_block * file.key_block;
  }
  return {};
}

}  // namespace stallproof
