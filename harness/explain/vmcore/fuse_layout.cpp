// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/fuse_layout.h"

#include "harness/explain/vmcore/needed_fields.h"

namespace stallproof {

Result<FuseLayout> FuseLayout::of(const KernelBtf& kernel, const KernelBtf& fuse) {
  NeededFields needed(fuse);
  NeededFields common(kernel);
  FuseLayout out{};
  out.dev_fc = needed.field("fuse_dev", {"fc"});
  out.dev_io = needed.field("fuse_dev", {"pq.io"});
  out.dev_processing = needed.field("fuse_dev", {"pq.processing"});
  out.hashed = fuse.member_type("fuse_pqueue", "processing") != "list_head";
  out.conn_number = needed.field("fuse_conn", {"dev"});
  out.conn_waiting = needed.field("fuse_conn", {"num_waiting"});
  out.conn_pending = needed.field("fuse_conn", {"iq.pending"});
  out.conn_background = needed.field("fuse_conn", {"bg_queue"});
  out.conn_pid_ns = needed.field("fuse_conn", {"pid_ns"});
  out.req_list = needed.field("fuse_req", {"list"});
  out.req_unique = needed.field("fuse_req", {"in.h.unique"});
  out.req_opcode = needed.field("fuse_req", {"in.h.opcode"});
  out.req_pid = needed.field("fuse_req", {"in.h.pid"});
  out.conn_ring = fuse.offset("fuse_conn", {"ring"});
  out.pid_ns_level = common.field("pid_namespace", {"level"});
  if (!needed.missing().empty()) return needed.lacking();
  if (!common.missing().empty()) return common.lacking();
  return out;
}

}  // namespace stallproof
