// SPDX-License-Identifier: Apache-2.0
// The fixture of the tests of a mounted tree.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "workloads/ffs/pattern.h"
#include "workloads/ffs/testing/target_mount.h"

namespace stallproof {

inline constexpr std::size_t kPageBytes = 4096;

// Memory that O_DIRECT takes.
struct AlignedFree {
  void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{4096}); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedFree>;
inline AlignedBytes aligned_bytes(std::size_t size) {
  return AlignedBytes(new (std::align_val_t{4096}) std::byte[size]);
}

class TreeMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    if (::access("/dev/fuse", R_OK | W_OK) != 0)
      GTEST_SKIP() << "/dev/fuse is missing (modprobe fuse)";
  }
  void mount(const std::vector<std::string>& words) {
    auto started = TargetMount::start(words);
    ASSERT_TRUE(started) << started.error().what;
    target_ = std::move(*started);
  }
  void mount_tree() { mount({"writable=yes", "store-size=64m"}); }
  [[nodiscard]] Fd open(const std::string& name, int flags) const {
    return Fd(::open(target_->path(name).c_str(), flags | O_CLOEXEC, 0644));
  }
  static bool write_pattern(const Fd& file, std::uint64_t offset, std::size_t size) {
    const AlignedBytes data = aligned_bytes(size);
    fill_pattern(offset, {data.get(), size});
    return ::pwrite(file.get(), data.get(), size, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(size);
  }
  static bool holds_pattern(const Fd& file, std::uint64_t offset, std::size_t size) {
    const AlignedBytes data = aligned_bytes(size);
    return ::pread(file.get(), data.get(), size, static_cast<off_t>(offset)) ==
               static_cast<ssize_t>(size) &&
           !first_wrong_byte(offset, {data.get(), size});
  }
  std::unique_ptr<TargetMount> target_;
};

}  // namespace stallproof
