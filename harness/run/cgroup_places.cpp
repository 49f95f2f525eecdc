// SPDX-License-Identifier: Apache-2.0
#include "harness/run/cgroup_places.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "harness/base/bounded.h"
#include "harness/base/cgroup.h"

namespace stallproof {
namespace {

constexpr Nanos kCallDeadline = 500 * kMillisecond;

// "rw,cpu,cpuacct": what is no controller among them does no harm.
std::vector<std::string> controllers_of(const std::string& super_options) {
  std::vector<std::string> names;
  std::istringstream words(super_options);
  for (std::string word; std::getline(words, word, ',');) names.push_back(word);
  return names;
}

}  // namespace

std::vector<CgroupPlace> cgroup_places(const std::vector<MountEntry>& mounts,
                                       const std::string& run) {
  std::vector<CgroupPlace> places;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const MountEntry& mount : mounts) {
    const bool unified = mount.fstype == "cgroup2";
    if (!unified && mount.fstype != "cgroup") continue;
    if (!seen.insert({mount.device_major, mount.device_minor}).second) continue;
    places.push_back(
        {.controllers = unified ? std::vector<std::string>{} : controllers_of(mount.super_options),
         .unified = unified,
         .path = mount.mount_point + "/" + cgroup_name(run)});
  }
  return places;
}

Result<std::vector<CgroupPlace>> cgroup_places_now(const std::string& run) {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kCallDeadline));
  if (!text) return Failure(text.error());
  const auto mounts = parse_mountinfo(*text);
  if (!mounts) return Failure(mounts.error());
  return cgroup_places(*mounts, run);
}

void add_cgroup_words(const std::vector<CgroupPlace>& places, Settings& words) {
  for (const CgroupPlace& place : places) {
    if (place.unified) words.set("cgroup-unified", place.path);
    for (const char* name : {"cpu", "blkio", "freezer"})
      if (std::find(place.controllers.begin(), place.controllers.end(), name) !=
          place.controllers.end())
        words.set(std::string("cgroup-") + name, place.path);
  }
}

}  // namespace stallproof
