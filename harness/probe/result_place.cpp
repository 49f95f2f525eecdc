// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/result_place.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <set>
#include <utility>

#include "harness/base/bounded.h"

namespace stallproof {
namespace {

using Devices = std::set<std::pair<unsigned, unsigned>>;

// Runs in a child.
int device_differs_from(const Devices& refused, std::string path) {
  struct stat info {};
  while (::stat(path.c_str(), &info) != 0) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
      path = ".";
    else if (slash == 0)
      path = "/";
    else
      path.resize(slash);
  }
  return refused.contains({major(info.st_dev), minor(info.st_dev)}) ? EXDEV : 0;
}

}  // namespace

Result<> refuse_place_on_target(const std::string& out,
                                const std::function<bool(const MountEntry&)>& under_test) {
  if (out.empty()) return {};
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  const auto mounts = parse_mountinfo(text ? *text : "");
  if (!mounts) return {};
  Devices targets;
  for (const MountEntry& mount : *mounts)
    if (under_test(mount)) targets.insert({mount.device_major, mount.device_minor});
  const int answer =
      run_bounded([&] { return device_differs_from(targets, out); }, Deadline::in(kSecond));
  if (answer == 0) return {};
  return fail(
      fmt::format("{}: {} (give another place with -o)", out,
                  answer == EXDEV ? "lies on a file system under test" : "does not answer"));
}

}  // namespace stallproof
