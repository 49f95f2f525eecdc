// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/fuse_connections.h"

#include <algorithm>
#include <charconv>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

std::optional<std::uint32_t> to_number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> find_fusectl(const std::vector<MountEntry>& mounts) {
  for (const MountEntry& mount : mounts)
    if (mount.fstype == "fusectl") return mount.mount_point;
  return std::nullopt;
}

Result<std::vector<FuseLoad>> list_fuse_connections(const std::string& fusectl) {
  const OpenDirectory dir = open_directory(fusectl);
  if (!dir) return fail_errno("list " + fusectl, errno, "mount -t fusectl none " + fusectl);
  std::vector<FuseLoad> loads;
  while (const dirent* entry = ::readdir(dir.get())) {
    const auto number = to_number(entry->d_name);
    if (!number) continue;
    const Result<std::string> text = read_file(fusectl + "/" + entry->d_name + "/waiting", 64);
    const auto waiting = text ? to_number(*text) : std::nullopt;
    if (waiting) loads.push_back({.number = *number, .waiting = *waiting});
  }
  std::sort(loads.begin(), loads.end(),
            [](const FuseLoad& a, const FuseLoad& b) { return a.number < b.number; });
  return loads;
}

Result<> abort_fuse_connection(const std::string& fusectl, std::uint32_t number) {
  return write_control_file(fusectl + "/" + std::to_string(number) + "/abort", "1");
}

}  // namespace stallproof
