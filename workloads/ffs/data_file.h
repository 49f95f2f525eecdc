// SPDX-License-Identifier: Apache-2.0
// The inodes of an ffs that are always there: its root and the read-only file in it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string_view>

namespace stallproof {

inline constexpr std::uint64_t kRootInode = 1;  // FUSE_ROOT_ID
inline constexpr std::uint64_t kDataInode = 2;
inline constexpr std::string_view kDataName = "data";

// Of `data`, read-only like the root that holds nothing else.
inline struct stat attributes_of(std::uint64_t inode, std::uint64_t file_size) {
  struct stat attributes {};
  attributes.st_ino = inode;
  const bool root = inode == kRootInode;
  attributes.st_mode = root ? (S_IFDIR | 0555) : (S_IFREG | 0444);
  attributes.st_nlink = root ? 2 : 1;
  attributes.st_size = root ? 0 : static_cast<off_t>(file_size);
  attributes.st_blocks = attributes.st_size / 512;
  return attributes;
}

}  // namespace stallproof
