// SPDX-License-Identifier: Apache-2.0
// For tests: a small FUSE file system that can be stopped, that waits for itself, or that looks at
// its callers. Its server is a process of its own that speaks /dev/fuse directly, with one thread.
//   file     1 MiB of zeros, cached, may be mapped and written
//   direct   the same, opened with FOPEN_DIRECT_IO
//   slow     looking this name up is never answered; so are mkdir, create and unlink
//   self     to look this name up the server looks up "other" on its own mount
//   audit    like direct, but a page is read only after /proc/CALLER/cmdline was
// heal() always gets everybody out: it aborts the connection.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/base/result.h"

namespace stallproof::testing {

class LabFuse {
 public:
  // Needs root. Mounts on a fresh directory under /tmp.
  static Result<LabFuse> start();
  LabFuse(const LabFuse&) = delete;
  LabFuse& operator=(const LabFuse&) = delete;
  LabFuse(LabFuse&& other) noexcept;
  ~LabFuse() { heal(); }

  [[nodiscard]] pid_t server() const { return server_; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return mount_point_ + "/" + name;
  }
  // SIGSTOP, and waits until the server has stopped.
  bool stop();
  void heal();

 private:
  LabFuse() = default;
  std::string mount_point_;
  pid_t server_ = -1;
};

}  // namespace stallproof::testing
