// SPDX-License-Identifier: Apache-2.0
// The words of `stallproof child ffs` and of ffs_target.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

struct FfsOptions {
  int board_fd = -1;  // inherited, writable
  int ready_fd = -1;  // write end of the ready pipe; -1 = nobody waits
  std::string mount_dir;
  unsigned service_threads = 4;
  unsigned page_threads = 0;    // > 0: page reads have threads of their own (fix split-pool)
  bool hashed = false;          // one queue per thread instead of one FIFO
  bool locks_client = false;    // an O_DIRECT read takes the client's mmap_lock, as the ioctl does
  bool locks_unpinned = false;  // the same, but for reads into buffers that a ring has pinned
  bool service_notifies = false;  // invalidations by the thread that answered, not by ffs_notify
  std::uint64_t file_size = 256ULL << 20U;  // bytes
  bool writable = false;                    // a tree in memory beside the file `data`
  std::uint64_t store_size = 1ULL << 30U;   // bound of the tree's memory, bytes
  bool direct_io = false;                   // files of the tree are opened with FOPEN_DIRECT_IO
  Nanos pause = 300 * kMillisecond;         // of the slow behaviours, and of a detour
  bool writeback_cache = false;  // writes end in the page cache, as FUSE_CAP_WRITEBACK_CACHE says
};

Result<FfsOptions> parse_ffs_options(const std::vector<std::string>& words);

}  // namespace stallproof
