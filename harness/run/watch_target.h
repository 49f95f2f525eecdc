// SPDX-License-Identifier: Apache-2.0
// Which processes `watch` watches, now: a command or process with all that descend from it, the
// users of a mount, the members of a cgroup. Touches no file of the target. Controller only.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/probe/process_tree.h"
#include "harness/run/process_identity.h"
#include "harness/run/target_facts.h"
#include "harness/run/watch.h"

namespace stallproof {

class WatchTarget {
 public:
  // Checks that it is there: an Error names what is not.
  static Result<WatchTarget> find(const WatchOptions& options);
  // COMMAND has been started as this child of ours.
  void set_command(pid_t pid);

  // Its processes now, without ours. Bounded; takes longer the more processes there are.
  ProcessList members(const std::vector<pid_t>& ours);
  // The process has ended, the mount or the cgroup is no longer there. A command: never here.
  [[nodiscard]] bool gone();

  // "process 4711 (java)", "mount /data", …
  [[nodiscard]] const std::string& name() const { return name_; }
  // Of a mount; else empty.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& fstype() const { return fstype_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const TargetFacts& facts() const { return facts_; }
  // Major and minor number of a mount's device as in /proc/diskstats; empty when it has none.
  [[nodiscard]] const std::string& device() const { return device_; }
  // Number of a FUSE mount's connection; 0: of none.
  [[nodiscard]] std::uint32_t connection() const { return connection_; }
  [[nodiscard]] const std::string& cgroup() const { return cgroup_; }
  // Readable when the process has ended; -1 otherwise and before 5.3.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

 private:
  enum class Kind { command, process, mount, cgroup };
  static Result<WatchTarget> find_process(int pid);
  static Result<WatchTarget> find_mount(const std::string& path);
  static Result<WatchTarget> find_cgroup(const std::string& path);

  Kind kind_ = Kind::command;
  std::string name_, path_, fstype_, source_, device_, cgroup_;
  TargetFacts facts_;
  pid_t root_ = 0;
  ProcessIdentity identity_;
  Fd pidfd_;
  std::uint32_t mount_id_ = 0;
  std::uint32_t connection_ = 0;
};

}  // namespace stallproof
