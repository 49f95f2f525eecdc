// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/null_device.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "harness/base/first_line.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMib = 1U << 20U;

std::string group_of(const std::string& name) { return std::string(kNullBlkGroup) + "/" + name; }

// drivers/block/null_blk/main.c: irqmode 2 answers by a timer, 0 at once.
Result<> write_shape(const std::string& group, const NullDeviceShape& shape) {
  const std::array<std::pair<const char*, std::string>, 5> values{
      {{"size", std::to_string(shape.mib)},
       {"irqmode", shape.answers_after == 0 ? "0" : "2"},
       {"completion_nsec", std::to_string(shape.answers_after)},
       {"submit_queues", "1"},
       {"power", "1"}}};
  for (const auto& [name, value] : values)
    if (auto written = write_control_file(group + "/" + name, value); !written) return written;
  return {};
}

// By its own name since 6.9, nullbN before.
std::string disk_of(const std::string& name) {
  const std::string own = "/sys/block/" + name;
  if (::access(own.c_str(), F_OK) == 0) return own;
  return "/sys/block/nullb" + first_line(group_of(name) + "/index");
}

Result<dev_t> number_of(const std::string& disk) {
  const std::string text = first_line(disk + "/dev");
  unsigned int first = 0, second = 0;
  if (std::sscanf(text.c_str(), "%u:%u", &first, &second) != 2)
    return fail(fmt::format("{}/dev says '{}', which is no device", disk, text), Origin::infra);
  return makedev(first, second);
}

Result<DmBacking> switch_on(const std::string& name, const NullDeviceShape& shape) {
  if (auto written = write_shape(group_of(name), shape); !written) return Failure{written.error()};
  const std::string disk = disk_of(name);
  if (shape.times_out_after != 0)
    if (auto set = write_control_file(disk + "/queue/io_timeout",
                                      std::to_string(shape.times_out_after / kMillisecond));
        !set)
      return Failure{set.error()};
  const auto number = number_of(disk);
  if (!number) return Failure{number.error()};
  return DmBacking{.device = *number, .bytes = shape.mib * kMib};
}

}  // namespace

Result<DmBacking> make_null_device(const std::string& name, const NullDeviceShape& shape) {
  if (::mkdir(group_of(name).c_str(), 0755) != 0)
    return fail_errno("make " + group_of(name), errno);
  auto backing = switch_on(name, shape);
  if (!backing) [[maybe_unused]]
    const auto ignored = remove_null_device(name);
  return backing;
}

Result<> remove_null_device(const std::string& name) {
  const std::string group = group_of(name);
  if (::access(group.c_str(), F_OK) != 0) return {};
  if (auto off = write_control_file(group + "/power", "0"); !off) return off;
  if (::rmdir(group.c_str()) != 0) return fail_errno("remove " + group, errno);
  return {};
}

}  // namespace stallproof
