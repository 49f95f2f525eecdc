// SPDX-License-Identifier: Apache-2.0
// Who serves a FUSE mount. Asks /proc by a child with a deadline, because a process in execve keeps
// its readers waiting.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/clock.h"

namespace stallproof {

struct FuseServer {
  pid_t pid = 0;
  std::string comm, exe;  // exe: empty where it cannot be read
};

// The process that has this connection open, by its descriptors (fuse_dev_show_fdinfo in
// fs/fuse/dev.c, 6.16); before that the only process that has /dev/fuse open at all, for whoever
// may see everybody's. Absent where neither tells one. `connection`: the minor number of the
// mount's device.
std::optional<FuseServer> find_fuse_server(std::uint32_t connection, Nanos within,
                                           const std::string& proc_root = "/proc");

}  // namespace stallproof
