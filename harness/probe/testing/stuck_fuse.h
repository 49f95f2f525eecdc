// SPDX-License-Identifier: Apache-2.0
// For tests: a FUSE mount with one file whose pages are never read. The server is a process of its
// own that speaks /dev/fuse directly, answers the first reads of each page with EIO and then stays
// silent: after one EIO the faulting thread holds mmap_lock for read (filemap_fault's second try),
// after none it has given the lock up. mkdir is never answered either. heal() always gets everybody
// out: it aborts the connection.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/base/result.h"

namespace stallproof::testing {

class StuckFuse {
 public:
  // Needs root. Mounts on a fresh directory under /tmp.
  static Result<StuckFuse> start(unsigned errors_per_page);
  StuckFuse(const StuckFuse&) = delete;
  StuckFuse& operator=(const StuckFuse&) = delete;
  StuckFuse(StuckFuse&& other) noexcept;
  ~StuckFuse() { heal(); }

  [[nodiscard]] pid_t server() const { return server_; }
  [[nodiscard]] const std::string& mount_point() const { return mount_point_; }
  [[nodiscard]] std::string file() const { return mount_point_ + "/file"; }
  void heal();

 private:
  StuckFuse() = default;
  std::string mount_point_;
  pid_t server_ = -1;
};

// SIGKILL and at most three seconds of waiting; true when it is gone.
bool kill_and_reap(pid_t pid);

}  // namespace stallproof::testing
