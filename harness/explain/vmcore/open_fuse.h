// SPDX-License-Identifier: Apache-2.0
// Who has /dev/fuse open: the servers of FUSE file systems, found in the tables of open files.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/task_walk.h"

namespace stallproof {

struct OpenFuse {
  std::uint64_t device = 0;  // struct fuse_dev
  std::int32_t tgid = 0;
};

struct FileTableLayout {
  std::uint32_t fdt;          // of files_struct
  std::uint32_t max_fds, fd;  // of fdtable
  std::uint32_t f_op, f_inode, private_data;
  std::uint32_t i_rdev;

  static std::optional<FileTableLayout> of(const KernelBtf& btf);
};

// Each pair once. A device that is not yet mounted is left out. `unread` tells of tables of open
// files that are not in the dump.
std::vector<OpenFuse> find_open_fuse(const KernelMemory& memory, const FileTableLayout& layout,
                                     const std::vector<DumpedTask>& tasks, bool& unread);

}  // namespace stallproof
