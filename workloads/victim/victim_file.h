// SPDX-License-Identifier: Apache-2.0
// What a victim works on, made beside the file under test and removed with its owner: nobody else's
// data is touched, and loads that share that file keep it as it is.
#pragma once

#include <string>
#include <utility>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/workload.h"

namespace stallproof {

inline constexpr std::size_t kVictimPage = 4096;

class VictimFile {
 public:
  VictimFile() = default;
  VictimFile(VictimFile&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  VictimFile& operator=(VictimFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
  }
  VictimFile(const VictimFile&) = delete;
  VictimFile& operator=(const VictimFile&) = delete;
  ~VictimFile();

  // FILE.LOAD, of zeros. Main thread, before the load starts; blocks on the file system.
  static Result<VictimFile> make(const LoadContext& load, const std::string& name,
                                 std::size_t pages);
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  std::string path_;
};

}  // namespace stallproof
