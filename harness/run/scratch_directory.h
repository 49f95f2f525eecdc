// SPDX-License-Identifier: Apache-2.0
// The directory that a run has for itself on a file system under test. Made and removed by a child
// with a deadline: the caller never touches the target. Controller.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct ScratchDirectory {
  std::string path;  // absolute; its last part begins with kScratchPrefix
  std::uint32_t device_major = 0, device_minor = 0;  // of the file system it lies on
  // One that several runs use, on other nodes too: the name of this run's mark in it. It is made by
  // the first and removed by the last. No blank in it.
  std::string mark = {};
};
inline constexpr const char* kScratchPrefix = ".stallproof-";

// Makes it, unless others share it, and the folders that `files` (relative paths) lie in.
Result<> make_scratch(const ScratchDirectory& scratch, const std::vector<std::string>& files);

// Removes it with all it holds, or only this run's mark while others use it; nothing there is
// success. Refuses another name, follows no link and leaves other file systems alone.
enum class ScratchEnd {
  removed,
  out_of_reach,  // its file system is not mounted there any more: nothing can be done from here
  failed,        // try again
};
struct ScratchRemoval {
  ScratchEnd end = ScratchEnd::removed;
  std::string what;  // for people, unless removed
};
ScratchRemoval remove_scratch(const ScratchDirectory& scratch);

}  // namespace stallproof
