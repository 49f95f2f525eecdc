// SPDX-License-Identifier: Apache-2.0
// The kernel's NFS server on the loopback interface, for one folder, without a single program of
// nfs-utils: what these would tell the kernel (who may mount, which folder a file handle belongs
// to) is written into its caches. NFS 4 only, which needs no rpcbind and no mountd. It outlives its
// process, so it is noted before it is started (left_things.h). Root only; refuses where a server
// runs already.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

inline constexpr const char* kNfsdControl = "/proc/fs/nfsd";

// What is changed of the server's settings, as one word: to be given to stop_nfs_server.
Result<std::string> nfs_settings();
// Returns the port, on 127.0.0.1. `folder` is its root, for 127.0.0.1 alone. Waits up to
// 12 s: for the shortest time of grace that there is, where the kernel will not end it before.
Result<std::uint16_t> start_nfs_server(const std::string& folder);
// Ends its threads, forgets the folder. One that does not run is no error.
Result<> stop_nfs_server(const std::string& settings);

}  // namespace stallproof
