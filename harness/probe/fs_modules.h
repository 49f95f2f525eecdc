// SPDX-License-Identifier: Apache-2.0
// Which kernel modules serve a file system type, and in which version: the one that the kernel
// would load for it ("alias fs-TYPE MODULE" of modules.alias), those that it uses and those that
// use it. Reads sysfs, and /lib/modules by a child with a deadline: the root disk may hang.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stallproof {

struct FsModule {
  std::string name, version, srcversion;  // the last two as far as the module tells them
  bool built_in = false;                  // a part of the kernel, without a version of its own
};

struct ModuleSources {
  std::string sysfs = "/sys/module";
  // The kernel has loaded modules at all.
  std::string loaded = "/proc/modules";
  // A file below /lib/modules/RELEASE; absent where there is none.
  std::function<std::optional<std::string>(const std::string& name)> library;
};
// Of this machine.
ModuleSources module_sources();

// The one that serves it first; empty where nothing tells which that is. `fstype` as mountinfo has
// it: "fuse.sshfs" is fuse.
std::vector<FsModule> modules_of_fs(const std::string& fstype, const ModuleSources& sources);

// "ext4 (built into the kernel)", "ffs 3.2 (srcversion 1A2B…)".
std::string module_words(const FsModule& module);

}  // namespace stallproof
