// SPDX-License-Identifier: Apache-2.0
// For tests: a control group of its own below the root of one hierarchy, gone with the object. The
// processes in it must have ended by then.
#pragma once

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/file.h"

namespace stallproof::testing {

class LabCgroup {
 public:
  // `hierarchy`: "blkio", "cpu", "freezer" (v1) or "unified" (v2 of a hybrid set-up). Null where
  // this machine has it not.
  static std::unique_ptr<LabCgroup> make(const std::string& hierarchy) {
    const std::string root = "/sys/fs/cgroup/" + hierarchy;
    if (::access((root + "/cgroup.procs").c_str(), W_OK) != 0) return nullptr;
    std::unique_ptr<LabCgroup> group(new LabCgroup);
    group->path_ = fmt::format("{}/stallproof-lab-{}", root, ::getpid());
    std::error_code error;
    std::filesystem::create_directory(group->path_, error);
    if (error) {
      group->path_.clear();
      return nullptr;
    }
    return group;
  }
  LabCgroup(const LabCgroup&) = delete;
  LabCgroup& operator=(const LabCgroup&) = delete;
  ~LabCgroup() {
    const Deadline deadline = Deadline::in(3 * kSecond);
    while (!path_.empty() && ::rmdir(path_.c_str()) != 0 && errno == EBUSY && !deadline.passed())
      ::poll(nullptr, 0, 10);
  }

  // Several spellings may be tried: `set` says whether the kernel took it.
  bool set(const std::string& file, const std::string& value) const {
    return write_control_file(path_ + "/" + file, value).has_value();
  }
  bool add(pid_t pid) const { return set("cgroup.procs", std::to_string(pid)); }

 private:
  LabCgroup() = default;
  std::string path_;
};

}  // namespace stallproof::testing
