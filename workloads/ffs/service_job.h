// SPDX-License-Identifier: Apache-2.0
// One request on its way from the receiver to the service thread that answers it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/board/service_panel.h"
#include "workloads/ffs/data_file.h"
#include "workloads/ffs/file_content.h"

struct fuse_req;

namespace stallproof {

enum class JobKind {
  page_read,       // answered into the client's page cache
  copy_to_client,  // direct read by ioctl: copied under the client's mmap_lock
  direct_reply,    // direct read by O_DIRECT: the kernel pinned the pages in the submitter
  locked_reply,    // the same, but the service takes the client's mmap_lock before it answers
  write,           // of a file of the tree, as all below
  write_page,      // writeback from the page cache: all of it or an error
  allocate,
  allocate_keep_size,
  punch_hole,
};

struct ServiceJob {
  JobKind kind = JobKind::page_read;
  fuse_req* request = nullptr;
  std::uint64_t inode = kDataInode;
  std::shared_ptr<FileContent> content = {};  // of a file of the tree; nullptr: `data`
  std::uint64_t offset = 0;  // bytes, as is length; of `data` already cut at the end of the file
  std::size_t length = 0;
  std::vector<std::byte> payload = {};  // write
  std::uint64_t client_buffer = 0;      // copy_to_client: address in the client
  pid_t client = 0;                     // the thread that asks
  bool answer_error = false;
  bool invalidate_after = false;
  OpenHazard* hazard = nullptr;  // to clear once answered
};

}  // namespace stallproof
