// SPDX-License-Identifier: Apache-2.0
// The ffs process: mounts an ffs on a directory and serves it until SIGTERM or the end of the
// connection (abort, unmount), then unmounts.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child ffs WORDS`, in a process of its own, main thread:
//   board=FD ready=FD mount=DIR service-threads=4 page-threads=0 queue=shared|hashed
//   notifier=own|service file-size=256MiB direct-open=reply|lock-client|lock-unpinned
//   writable=no|yes store-size=1GiB writeback-cache=no|yes
// Reports on the ready pipe once FUSE_INIT has been answered, or one line of failure. Blocks
// SIGTERM, SIGINT and SIGHUP for the whole process; only SIGTERM ends it, because a server that
// dies in mid-stall leaves its clients stuck. Returns the exit code: 0 ended in order, 2 wrong
// words or no mount, 3 infrastructure; does not return (exit code 3) when a service thread is still
// in the kernel half a second after the end.
int run_ffs_role(const std::vector<std::string>& words);

}  // namespace stallproof
