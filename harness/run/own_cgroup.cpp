// SPDX-License-Identifier: Apache-2.0
#include "harness/run/own_cgroup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/file.h"

namespace stallproof {
namespace {

Result<std::vector<CgroupLine>> cgroups_of(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/cgroup", pid), 65536);
  if (!text) return Failure(text.error());
  return parse_cgroups(*text);
}

// Where systemd and every distribution mount them.
std::string root_of(const CgroupLine& line) {
  const std::string top = "/sys/fs/cgroup";
  if (line.controllers.starts_with("name=")) return top + "/" + line.controllers.substr(5);
  if (!line.controllers.empty()) return top + "/" + line.controllers;
  const bool unified = ::access((top + "/cgroup.controllers").c_str(), F_OK) == 0;
  return unified ? top : top + "/unified";
}

bool lies_in(const std::string& path, const std::string& parent) {
  return path == parent || path.starts_with(parent + "/");
}

}  // namespace

std::vector<CgroupLine> parse_cgroups(std::string_view text) {
  std::vector<CgroupLine> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    lines.push_back({.controllers = std::string(line.substr(first + 1, second - first - 1)),
                     .path = std::string(line.substr(second + 1))});
  }
  return lines;
}

std::vector<CgroupLine> shared_cgroups(const std::vector<CgroupLine>& ours,
                                       const std::vector<CgroupLine>& target) {
  std::vector<CgroupLine> shared;
  for (const CgroupLine& own : ours)
    for (const CgroupLine& other : target)
      if (own.controllers == other.controllers && other.path != "/" &&
          lies_in(own.path, other.path))
        shared.push_back(own);
  return shared;
}

std::string leave_cgroups_of(pid_t ours, pid_t target) {
  const auto own = cgroups_of(ours), theirs = cgroups_of(target);
  if (!own || !theirs)
    return "whether it shares a cgroup with the target: " + (own ? theirs : own).error().what;
  std::string stuck;
  for (const CgroupLine& line : shared_cgroups(*own, *theirs)) {
    const auto moved = write_control_file(root_of(line) + "/cgroup.procs", std::to_string(ours));
    if (!moved) stuck += fmt::format("{}{}", stuck.empty() ? "" : "; ", moved.error().what);
  }
  if (stuck.empty()) return {};
  return "it shares a cgroup with the target and would be frozen or throttled with it: " + stuck;
}

}  // namespace stallproof
