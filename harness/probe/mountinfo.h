// SPDX-License-Identifier: Apache-2.0
// /proc/self/mountinfo as rows. Which mount a path is on, and which FUSE connection a mount is,
// come from here and never from stat(2): a stat on a dead mount does not return.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct MountEntry {
  std::uint32_t id = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;  // of FUSE (major 0): the number of its connection
  std::string root;                // what of the file system is mounted, "/" for all
  std::string mount_point;
  std::string fstype;  // "fuse.sshfs"
  std::string source;
  std::string super_options;
};

// Pure. Lines that are not mountinfo are an Error naming the line. Octal escapes are undone.
Result<std::vector<MountEntry>> parse_mountinfo(std::string_view text);
// Takes namespace_sem only; waits where somebody mounts or unmounts on a dead file system.
Result<std::vector<MountEntry>> read_mountinfo(const std::string& path = "/proc/self/mountinfo");

// The mount that an absolute, normalised path lies on: the longest mount point, of several the one
// mounted last. Null when there is none.
const MountEntry* mount_of(const std::vector<MountEntry>& mounts, std::string_view path);
bool is_fuse(const MountEntry& mount);

}  // namespace stallproof
