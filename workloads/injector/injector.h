// SPDX-License-Identifier: Apache-2.0
// The seam of an injector: it makes a situation of the kernel that a scenario is about, and undoes
// it again. Main thread of a process of its own (injector_role.h), which owns all that it makes:
// mounts below the run's directory, loop devices that clear themselves, cgroups of the run's name.
// Nobody else's file system, device or process is ever touched.
//
// Each call makes a few system calls on what is our own and healthy and returns within a second;
// where I/O in flight must be waited for, when it has come.
// One that does not return is the controller's to end: it undoes what the process has left.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/board/service_panel.h"

namespace stallproof {

// What an injector is told before anything is made.
struct InjectorContext {
  std::string directory;  // the run's own, below /run/stallproof
  Settings settings;      // every parameter present, and the cgroup-*=PATH of this machine
};

class Injector {
 public:
  virtual ~Injector() = default;
  // Before the loads are started. Returns the file that they use. On failure remove() is called.
  virtual Result<std::string> prepare(const InjectorContext& context) = 0;
  // The loads run in process `worker`.
  virtual Result<> inject(pid_t worker) = 0;
  // Undoes inject(), also where that failed half-way; a second call finds nothing to do.
  virtual Result<> heal() = 0;
  // Some 50 times a second while the loads run: what a service that is no process of ours counts.
  virtual void count(ServicePanel&) {}
  // Undoes prepare(). The loads have ended, or are about to be killed.
  virtual Result<> remove() = 0;
};

}  // namespace stallproof
