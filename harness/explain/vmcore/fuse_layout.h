// SPDX-License-Identifier: Apache-2.0
// Where FUSE's fields lie: struct fuse_dev, fuse_conn, fuse_req (fs/fuse/fuse_i.h, 4.18 to 6.18).
#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_btf.h"

namespace stallproof {

struct FuseLayout {
  std::uint32_t dev_fc, dev_io, dev_processing;
  // The requests being processed: a table of lists at the end of a pointer, since 4.20; one list
  // before.
  bool hashed;
  std::uint32_t conn_number, conn_waiting, conn_pending, conn_background, conn_pid_ns;
  std::uint32_t pid_ns_level;
  std::uint32_t req_list, req_unique, req_opcode, req_pid;
  std::optional<std::uint32_t> conn_ring;  // since 6.14

  // `fuse`: whose types FUSE's are, the kernel or its module.
  static Result<FuseLayout> of(const KernelBtf& kernel, const KernelBtf& fuse);
};

}  // namespace stallproof
