// SPDX-License-Identifier: Apache-2.0
// A FUSE mount made with mount(2) itself: no fusermount, no /etc/mtab, root only. Main thread of
// the ffs process; may block as long as mount(2) does (it waits for nobody: FUSE_INIT is answered
// later).
#pragma once

#include <string>
#include <utility>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

// How the mount is known in /proc/self/mountinfo.
inline constexpr const char* kFfsFstype = "fuse.stallproof";
inline constexpr const char* kFfsSource = "stallproof-ffs";

// Unmounts on destruction: first by force, which aborts the connection (fuse_umount_begin,
// fs/fuse/inode.c, 6.12) and so frees everybody who waits for an answer, then lazily.
class FfsMount {
 public:
  static Result<FfsMount> create(const std::string& directory);
  FfsMount(FfsMount&& other) noexcept
      : device_(std::move(other.device_)), directory_(std::exchange(other.directory_, {})) {}
  FfsMount& operator=(FfsMount&&) = delete;
  FfsMount(const FfsMount&) = delete;
  FfsMount& operator=(const FfsMount&) = delete;
  ~FfsMount() { abort_and_unmount(); }

  // Hands the /dev/fuse descriptor over, once.
  [[nodiscard]] int release_device() { return device_.release(); }
  void abort_and_unmount();

 private:
  FfsMount(Fd device, std::string directory)
      : device_(std::move(device)), directory_(std::move(directory)) {}
  Fd device_;
  std::string directory_;  // empty once unmounted
};

}  // namespace stallproof
