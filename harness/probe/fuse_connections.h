// SPDX-License-Identifier: Apache-2.0
// /sys/fs/fuse/connections (the fusectl file system): which FUSE connections exist, how loaded they
// are, and the switch that ends one. Reads atomics only, so it answers while a server is dead.
// Never touches the mounts themselves. Allocates: not for the watchdog's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {

struct FuseLoad {
  std::uint32_t number = 0;   // the minor device number of its mount
  std::uint32_t waiting = 0;  // requests not answered yet
};

// Where fusectl is mounted; nullopt when it is not.
std::optional<std::string> find_fusectl(const std::vector<MountEntry>& mounts);
// Sorted by number. A connection that goes away meanwhile is left out.
Result<std::vector<FuseLoad>> list_fuse_connections(const std::string& fusectl);
// Every request of the connection fails with ENOTCONN from now on. Only for mounts of our own.
Result<> abort_fuse_connection(const std::string& fusectl, std::uint32_t number);

}  // namespace stallproof
