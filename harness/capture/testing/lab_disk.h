// SPDX-License-Identifier: Apache-2.0
// For tests: a small ext4 file system in memory, on a loop device of its own, mounted where only
// this process sees it. It may be frozen: whatever ends the test, a guard process thaws it, since a
// frozen file system would never go away.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/capture/testing/lab_loop.h"

namespace stallproof::testing {

class LabDisk {
 public:
  // Needs root. Gives this process mounts of its own; it must have one thread.
  static Result<std::unique_ptr<LabDisk>> make();
  LabDisk(const LabDisk&) = delete;
  LabDisk& operator=(const LabDisk&) = delete;
  ~LabDisk();

  [[nodiscard]] const std::string& mount_point() const { return directory_; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  bool freeze();
  void thaw();
  // "7:3"
  [[nodiscard]] std::string device() const;

 private:
  LabDisk() = default;
  Result<> mount_new();
  std::string directory_;
  LabLoop loop_;
  Fd root_;
  pid_t guard_ = -1;
};

}  // namespace stallproof::testing
