// SPDX-License-Identifier: Apache-2.0
#include "harness/run/preflight/dead_scratch.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "harness/base/bounded.h"
#include "harness/run/scratch_directory.h"
#include "harness/store/history_entry.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr Nanos kAnswerWithin = 5 * kSecond;

// In a child. One name a line.
int write_scratch_names(const std::string& directory, int into) {
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return errno;
  std::string names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name.starts_with(kScratchPrefix) && name.find('\n') == std::string::npos)
      names += name + "\n";
  }
  ::closedir(open);
  return ::write(into, names.data(), names.size()) == static_cast<ssize_t>(names.size()) ? 0 : EIO;
}

}  // namespace

DeadScratches remove_dead_scratches(const TargetLook& target, const std::string& runs) {
  DeadScratches dead;
  const BoundedText names =
      text_bounded([&target](int into) { return write_scratch_names(target.path, into); },
                   Deadline::in(kAnswerWithin));
  if (names.error != 0)
    dead.left.push_back(
        fmt::format("target {}: looking for what earlier runs left: {} (does it answer? ls {})",
                    target.path, std::strerror(names.error), target.path));
  std::istringstream lines(names.text);
  for (std::string name; std::getline(lines, name);) {
    const std::string run = runs + "/" + name.substr(std::string(kScratchPrefix).size());
    if (!is_run_directory(run) || run_is_held(run)) continue;
    const ScratchDirectory scratch{.path = target.path + "/" + name,
                                   .device_major = target.device_major,
                                   .device_minor = target.device_minor};
    const ScratchRemoval removal = remove_scratch(scratch);
    if (removal.end == ScratchEnd::removed)
      dead.removed.push_back(scratch.path);
    else
      dead.left.push_back(removal.what);
  }
  return dead;
}

}  // namespace stallproof
