// SPDX-License-Identifier: Apache-2.0
// One mapping of a file, for all threads of the load: then a thread's drop unmaps the page for all
// of them and the page cache can let it go. With a mapping for each thread a page that several
// threads like stays mapped somewhere, is never read again, and the experiment is quiet because
// nothing happens in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/content/test_file.h"
#include "workloads/fault/fault_options.h"

namespace stallproof {

class FaultMapping {
 public:
  static constexpr std::uint64_t kPage = 4096;

  FaultMapping() = default;
  FaultMapping(const FaultMapping&) = delete;
  FaultMapping& operator=(const FaultMapping&) = delete;
  ~FaultMapping() { unmap(); }

  // Maps whole pages of the file, as the options want it. May wait for the file system.
  Result<> map(TestFile file, const std::string& path, const FaultOptions& options);
  void unmap() noexcept;

  [[nodiscard]] std::byte* at(std::uint64_t offset) const { return base_ + offset; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int file() const { return file_.fd.get(); }
  [[nodiscard]] int second_file() const { return second_.get(); }

  // Any thread; ranges are whole pages. 0 or the errno; each takes mmap_lock for write.
  // In one call, lest another thread's mapping get in between: mmap MAP_FIXED unmaps first.
  int remap(std::uint64_t offset, std::uint64_t size);
  int protect(std::uint64_t offset, std::uint64_t size, bool writable);
  // The word at the offset, read from the file and not from the mapping. 0 or the errno.
  int read_behind(std::uint64_t offset, std::uint64_t& word) const;

 private:
  Result<> prepare_cache() const;
  int advise(std::byte* at, std::uint64_t size) const;
  [[nodiscard]] int lock(std::byte* at, std::uint64_t size) const;

  TestFile file_;
  Fd second_;
  FaultOptions options_;
  int protection_ = 0;
  int kind_ = 0;
  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace stallproof
