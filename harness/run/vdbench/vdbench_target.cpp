// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_target.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "harness/base/bounded.h"

namespace stallproof {
namespace {

// Where links lead to, by a child; where nothing answers, as it is written.
std::string real_place(const std::string& given) {
  std::error_code error;
  const std::string plain = std::filesystem::absolute(given, error).lexically_normal().string();
  const BoundedText real = text_bounded(
      [&plain](int into) {
        std::error_code failed;
        const std::string path = std::filesystem::weakly_canonical(plain, failed).string();
        if (failed) return failed.value();
        return ::write(into, path.data(), path.size()) == static_cast<ssize_t>(path.size()) ? 0
                                                                                            : EIO;
      },
      Deadline::in(kSecond));
  return real.error == 0 && !real.text.empty() ? real.text : plain;
}

bool is_device(const std::string& path) {
  return path.starts_with("/dev/") && !path.starts_with("/dev/shm/");
}

}  // namespace

PlaceMounts mounts_of_places(const std::vector<std::string>& paths) {
  PlaceMounts found;
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  const auto mounts = parse_mountinfo(text ? *text : "");
  for (const std::string& given : paths) {
    const std::string path = mounts ? real_place(given) : given;
    const MountEntry* const mount = !mounts || is_device(path) ? nullptr : mount_of(*mounts, path);
    const auto is_it = [mount](const MountEntry& each) { return each.id == mount->id; };
    if (mount == nullptr)
      found.others = true;
    else if (std::none_of(found.mounts.begin(), found.mounts.end(), is_it))
      found.mounts.push_back(*mount);
  }
  return found;
}

VdbenchTarget find_vdbench_target(const std::vector<std::string>& paths, const PlaceMounts& found) {
  VdbenchTarget target;
  if (paths.size() == 1) target.path = paths.front();
  if (found.others || found.mounts.size() != 1) return target;
  const MountEntry& only = found.mounts.front();
  if (target.path.empty()) target.path = only.mount_point;
  target.fstype = only.fstype;
  target.source = only.source;
  const bool fuse = is_fuse(only) && only.device_major == 0;
  target.facts = look_at_target_facts(only.fstype, fuse ? only.device_minor : 0);
  return target;
}

}  // namespace stallproof
