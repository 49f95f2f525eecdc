// SPDX-License-Identifier: Apache-2.0
// ErrorSchedule for the files of a tree, which come and go and grow: the 1st, 3rd, 5th ... read of
// each page since arming is due for an error. Remembers only the pages whose last read was. Pure;
// receiver thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>

namespace stallproof {

class TreeErrorSchedule {
 public:
  static constexpr std::uint64_t kPageSize = 4096;

  // As ErrorSchedule::error_due.
  bool error_due(std::uint64_t armed_ns, std::uint64_t inode, std::uint64_t offset,
                 std::uint64_t length) {
    if (armed_ns != armed_ns_) {
      armed_ns_ = armed_ns;
      failed_.clear();
    }
    bool due = false;
    const std::uint64_t end = (offset + length + kPageSize - 1) / kPageSize;
    for (std::uint64_t page = offset / kPageSize; page < end; ++page) {
      const Page key{inode, page};
      if (failed_.erase(key) != 0) continue;
      failed_.insert(key);
      due = true;
    }
    return due;
  }

 private:
  struct Page {
    std::uint64_t inode;
    std::uint64_t number;
    bool operator==(const Page&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Page& page) const {
      return std::hash<std::uint64_t>()((page.inode * 0x9e3779b97f4a7c15ULL) ^ page.number);
    }
  };

  std::uint64_t armed_ns_ = 0;
  std::unordered_set<Page, Hash> failed_;
};

}  // namespace stallproof
