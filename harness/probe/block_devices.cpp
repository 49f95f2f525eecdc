// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/block_devices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

// Numbers of a line, separated by blanks or a colon.
std::vector<std::uint64_t> numbers_of(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(at, end, value);
    if (read.ec == std::errc{}) numbers.push_back(value);
    at = read.ec == std::errc{} ? read.ptr : at + 1;
  }
  return numbers;
}

std::vector<std::uint64_t> numbers_in(const std::string& path) {
  const auto text = read_file(path, 4096);
  return text ? numbers_of(*text) : std::vector<std::uint64_t>{};
}

// Documentation/block/stat.rst: completed reads, writes, discards (4.18) and flushes (5.5).
std::uint64_t completed_of(const std::vector<std::uint64_t>& stat) {
  std::uint64_t sum = 0;
  for (const std::size_t field : {0U, 4U, 11U, 15U})
    if (field < stat.size()) sum += stat[field];
  return sum;
}

std::optional<DeviceRow> read_device(const std::string& directory, const std::string& name) {
  const auto inflight = numbers_in(directory + "/inflight");
  const bool suspended = numbers_in(directory + "/dm/suspended") == std::vector<std::uint64_t>{1};
  if (inflight.size() != 2 || (inflight[0] + inflight[1] == 0 && !suspended)) return std::nullopt;
  const auto device = numbers_in(directory + "/dev");
  if (device.size() != 2) return std::nullopt;
  DeviceRow row;
  row.name = name;
  row.device_major = static_cast<std::uint32_t>(device[0]);
  row.device_minor = static_cast<std::uint32_t>(device[1]);
  row.reads_in_flight = inflight[0];
  row.writes_in_flight = inflight[1];
  row.suspended = suspended;
  row.completed = completed_of(numbers_in(directory + "/stat"));
  if (auto file = read_file(directory + "/loop/backing_file", 4096)) {
    while (!file->empty() && file->back() == '\n') file->pop_back();
    row.backing_file = std::move(*file);
  }
  return row;
}

}  // namespace

DeviceLook look_at_devices(const std::string& sys) {
  DeviceLook look{.taken_ns = monotonic_now(), .devices = {}, .problem = {}};
  const std::string all = sys + "/class/block";
  const OpenDirectory dir = open_directory(all);
  if (!dir) {
    look.problem = fmt::format("{}: {}", all, std::strerror(errno));
    return look;
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name(entry->d_name);
    if (name.starts_with('.')) continue;
    if (auto row = read_device(all + "/" + name, name)) look.devices.push_back(std::move(*row));
  }
  std::sort(look.devices.begin(), look.devices.end(),
            [](const DeviceRow& a, const DeviceRow& b) { return a.name < b.name; });
  return look;
}

std::vector<DeviceRow> compare_devices(const DeviceLook& before, const DeviceLook& now) {
  std::vector<DeviceRow> rows = now.devices;
  if (before.taken_ns >= now.taken_ns) return rows;
  for (DeviceRow& row : rows)
    for (const DeviceRow& old : before.devices)
      if (old.name == row.name && old.device_major == row.device_major &&
          old.device_minor == row.device_minor && old.completed == row.completed)
        row.unchanged_for = now.taken_ns - before.taken_ns;
  return rows;
}

}  // namespace stallproof
