// SPDX-License-Identifier: Apache-2.0
// A small ext4 file system in memory, mounted where only this process sees it: it is gone when the
// process is, however that ends. For single-threaded test processes of root.
#pragma once

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "workloads/injector/ext4_disk.h"

namespace stallproof {

class LoopMount {
 public:
  static Result<std::unique_ptr<LoopMount>> make(std::uint64_t size) {
    std::unique_ptr<LoopMount> made(new LoopMount);
    char pattern[] = "/tmp/stallproof-ext4-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) return fail_errno("make a directory", errno);
    made->directory_ = pattern;
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return fail_errno("mounts of its own", errno);
    auto disk = Ext4Disk::make(made->directory_ + "/disk", size);
    if (!disk) return Failure{disk.error()};
    made->disk_ = std::move(*disk);
    return made;
  }
  LoopMount(const LoopMount&) = delete;
  LoopMount& operator=(const LoopMount&) = delete;
  ~LoopMount() {
    disk_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove(directory_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name = "data") const {
    return disk_->file(name);
  }
  // Lazily: whoever has a file open goes on.
  void detach() { [[maybe_unused]] const auto ignored = disk_->remove(); }

 private:
  LoopMount() = default;

  std::string directory_;
  std::unique_ptr<Ext4Disk> disk_;
};

}  // namespace stallproof
