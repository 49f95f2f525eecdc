// SPDX-License-Identifier: Apache-2.0
// The server of a hard NFS mount no longer answers: every call waits for as long as that lasts, by
// design, and the file system of the client is innocent.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"gone", "nothing comes from the server any more"},
                               Named{"brief", "it answers again after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "4", "threads that do direct I/O on a file of the mount"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "fs_server_stuck";
  lab.usual_signatures = {"fs_server_stuck:request>service_absent"};
  lab.marks = {"nfs|rpc_wait_bit_killable"};
  lab.service = false;
  lab.injector = "nfs-disk";
  lab.arming = Arming::injection;
  lab.needs = {{"/proc/fs/nfsd/threads", "the kernel's NFS server (nfsd)",
                "modprobe -a nfsd nfsv4 && mount -t nfsd none /proc/fs/nfsd"}};
  lab.loads = {{"direct-io", *threads}};
  lab.worker.set("io-read-percent", "50");
  lab.worker.set("io-file-size", "8MiB");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kNfsServerGone;
const Scenario kNfsServerGone{.id = "nfs-server-gone",
                              .summary = "the server of a hard NFS mount no longer answers",
                              .where = "VM",
                              .expected_class = "fs_server_stuck",
                              .variants = kVariants,
                              .fixes = {},
                              .params = kParams,
                              .plan = plan};

}  // namespace stallproof
