// SPDX-License-Identifier: Apache-2.0
// Tells a second-try page read from a first. filemap_fault (mm/filemap.c, 6.12) gives mmap_lock up
// before it reads on its first try only; the retry carries FAULT_FLAG_TRIED and reads with the lock
// held. The service sees both tries as reads of the same page by the same thread within the same
// operation of the load.
//
// Pure bookkeeping, receiver thread only; grows by one entry for each thread that ever read.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace stallproof {

struct PageRead {
  std::uint32_t tid = 0;
  std::uint64_t op = 0;      // the thread's count of completed operations, from its board slot
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;
  std::uint64_t inode = 0;
};

class SecondTryDetector {
 public:
  // Notes the read; true when it overlaps this thread's previous read within the same operation.
  bool second_try(const PageRead& read) {
    const auto [entry, first_ever] = previous_.try_emplace(read.tid, read);
    if (first_ever) return false;
    const PageRead before = entry->second;
    entry->second = read;
    return before.op == read.op && before.inode == read.inode &&
           before.offset < read.offset + read.length && read.offset < before.offset + before.length;
  }

 private:
  std::unordered_map<std::uint32_t, PageRead> previous_;
};

}  // namespace stallproof
