// SPDX-License-Identifier: Apache-2.0
// The kernel's own words about the whole machine, as numbers. Pure; no allocation: these run in the
// watchdog's loop. Text that is not what the kernel writes changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/board/system_row.h"

namespace stallproof {

// "some avg10=1.23 … total=5\nfull …" (Documentation/accounting/psi.rst). The cpu file has no
// `full` before 5.13.
bool parse_pressure(std::string_view text, PressureRow& row);

std::optional<std::uint64_t> parse_number(std::string_view text);

// One line of /proc/diskstats (Documentation/admin-guide/iostats.rst).
struct DiskLine {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string_view name;
  DiskRow row;
};
std::optional<DiskLine> parse_disk_line(std::string_view line);

// "vda1" is a part of "vda", "nvme0n1p2" of "nvme0n1": their requests are the disk's.
bool is_partition_of(std::string_view name, std::string_view disk);

}  // namespace stallproof
