// SPDX-License-Identifier: Apache-2.0
// For kernel tests: the program ffs_target on a fresh directory, ended and unmounted whatever the
// test does. The target ends with the test process, because its stdin does. Every wait has a
// deadline.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class TargetMount {
 public:
  // Mounted. `words` are those of ffs_target without mount=.
  static Result<std::unique_ptr<TargetMount>> start(const std::vector<std::string>& words);
  TargetMount(const TargetMount&) = delete;
  TargetMount& operator=(const TargetMount&) = delete;
  ~TargetMount();

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  // By /proc/self/mountinfo, which asks nobody.
  [[nodiscard]] bool mounted() const;
  // Closes its stdin; its exit code, or -1 when it was still there at the deadline.
  int end_by(Deadline deadline);
  // SIGKILL; true when it is gone in time.
  bool kill_by(Deadline deadline);

 private:
  TargetMount() = default;
  [[nodiscard]] bool said_mount_by(Deadline deadline) const;
  int reap_by(Deadline deadline);

  std::string directory_;
  pid_t pid_ = -1;
  Fd stdin_, stdout_;
};

}  // namespace stallproof
