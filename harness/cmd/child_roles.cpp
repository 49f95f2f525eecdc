// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "harness/cmd/command.h"
#include "harness/run/watchdog_role.h"
#include "harness/sink/notifier_role.h"
#include "workloads/ffs/ffs_role.h"
#include "workloads/files/file_worker.h"
#include "workloads/injector/injector_role.h"
#include "workloads/io/io_worker.h"
#include "workloads/worker_role.h"

namespace stallproof {
namespace {

struct Role {
  std::string_view name;
  int (*run)(const std::vector<std::string>& words);
};

// What ps and the kernel's own reports call the process: exec from /proc/self/exe leaves "exe".
void name_process(std::string_view role) {
  ::prctl(PR_SET_NAME, ("sp-" + std::string(role)).c_str());
}

// What exec-churn starts.
int run_nothing_role(const std::vector<std::string>&) { return 0; }

constexpr std::array kRoles{
    Role{"watchdog", run_watchdog_role}, Role{"ffs", run_ffs_role},
    Role{"worker", run_worker_role},     Role{"io", run_io_role},
    Role{"files", run_files_role},       Role{"nothing", run_nothing_role},
    Role{"injector", run_injector_role}, Role{"notifier", run_notifier_role}};

}  // namespace

int run_child_role(int argc, char** argv) {
  const std::vector<std::string> words(argv + 3, argv + argc);
  for (const Role& role : kRoles) {
    if (role.name != argv[2]) continue;
    name_process(role.name);
    return role.run(words);
  }
  std::fputs("stallproof: 'child' is started by stallproof itself\n", stderr);
  return 2;
}

}  // namespace stallproof
