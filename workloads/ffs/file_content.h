// SPDX-License-Identifier: Apache-2.0
// The bytes of one file of the tree: sparse, memory for written or allocated pages only. Any
// thread; each call holds the file's mutex as long as it copies, and waits for nothing else, so the
// receiver may call it. What lies behind the end of the file is always zero.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>

#include "workloads/ffs/answer.h"
#include "workloads/ffs/page_store.h"

namespace stallproof {

class FileContent {
 public:
  struct State {
    std::uint64_t size;   // bytes
    std::uint64_t pages;  // that have memory
    timespec modified;    // CLOCK_REALTIME, as is written
    timespec written;     // when the bytes last changed, whatever `modified` was set to
  };

  // Keeps a reference; gives every page back at its end.
  explicit FileContent(PageStore& store);
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;
  ~FileContent();

  // Bytes read; fewer than asked for at the end of the file only.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  // Bytes written: as many as there is room for, or ENOSPC when there is none. With `whole`, all of
  // them or ENOSPC: the kernel takes a short answer to the writeback of a page for a whole one
  // (fuse_writepage_end, fs/fuse/file.c, 6.12).
  Answer<std::size_t> write(std::uint64_t offset, std::span<const std::byte> data, bool whole);
  void resize(std::uint64_t size);
  // Memory for every page of the range, or ENOSPC and no change.
  Answer<> allocate(std::uint64_t offset, std::uint64_t length, bool keep_size);
  // Zeros, and the memory of whole pages comes back. The size stays.
  void punch_hole(std::uint64_t offset, std::uint64_t length);
  void set_modified(const timespec& when);
  [[nodiscard]] State state() const;

 private:
  using Pages = std::map<std::uint64_t, std::byte*>;  // by page number in the file

  [[nodiscard]] std::uint64_t missing_pages(std::uint64_t first, std::uint64_t end) const;
  void release_from(std::uint64_t first);
  void touch();

  PageStore& store_;
  mutable std::mutex mutex_;
  Pages pages_;
  std::uint64_t size_ = 0;
  timespec modified_{};
  timespec written_{};
};

}  // namespace stallproof
