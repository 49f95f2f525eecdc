// SPDX-License-Identifier: Apache-2.0
// The tree as libfuse wants it: callbacks in the receiver thread. Metadata is answered at once;
// reads, writes and allocation go to the service threads. flush and fsync have nothing to wait for:
// a write is answered once it is stored, and the kernel waits for writeback before it asks.
#pragma once

struct fuse_lowlevel_ops;
struct fuse_conn_info;

namespace stallproof {

// For FUSE_INIT of a mount with a tree.
void negotiate_tree(bool writeback_cache, fuse_conn_info& connection);

// Replaces the callbacks that know `data` only. The session's user data is an FfsSession that has a
// tree.
void add_tree_operations(fuse_lowlevel_ops& operations);

}  // namespace stallproof
