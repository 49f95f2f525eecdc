// SPDX-License-Identifier: Apache-2.0
// The two inodes of an ffs: its root and the one file in it.
#pragma once

#include <cstdint>
#include <string_view>

namespace stallproof {

inline constexpr std::uint64_t kRootInode = 1;  // FUSE_ROOT_ID
inline constexpr std::uint64_t kDataInode = 2;
inline constexpr std::string_view kDataName = "data";

}  // namespace stallproof
