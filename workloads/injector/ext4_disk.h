// SPDX-License-Identifier: Apache-2.0
// A small ext4 in memory: an image that has no name, a loop device on it, mounted on a directory
// that is made for it. Gone with its last mount and user. Root only, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/injector/loop_device.h"

namespace stallproof {

class Ext4Disk {
 public:
  // `directory` must not exist; its parent must.
  static Result<std::unique_ptr<Ext4Disk>> make(const std::string& directory, std::uint64_t size);
  Ext4Disk(const Ext4Disk&) = delete;
  Ext4Disk& operator=(const Ext4Disk&) = delete;
  ~Ext4Disk();

  [[nodiscard]] std::string file(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] dev_t device_number() const { return device_.number; }

  // FIFREEZE: whoever changes the file system waits from then on. Refused where the directory turns
  // out not to be on our own loop device. 0 or an errno; EBUSY: it is frozen already.
  int freeze();
  // FITHAW; one that is not frozen is no error.
  int thaw();
  // Lazily, so that it never waits: whoever has a file open goes on. Again: nothing to do.
  Result<> remove();

 private:
  explicit Ext4Disk(std::string directory) : directory_(std::move(directory)) {}
  Result<> mount(std::uint64_t size);

  std::string directory_;
  LoopDevice device_;
  Fd root_;  // of the file system: what freeze and thaw are asked by
  bool mounted_ = false;
};

}  // namespace stallproof
