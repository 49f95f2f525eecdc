// SPDX-License-Identifier: Apache-2.0
// A service that notes who writes: it reads /proc/PID/cmdline of the client, which takes the
// client's mmap_lock for read (access_remote_vm, every version). The client waits for the service
// with that lock held for write, because it puts a mapping over a written page. comm takes no such
// lock.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"cmdline", "the service reads the command line of the client before it answers a write"},
    Named{"comm", "it reads comm instead, which takes no lock", true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"direct-threads", "2", "threads that do direct reads"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 1);
  if (!lab) return lab;
  const auto readers = read_threads(request.params, "direct-threads", 0);
  if (!readers) return Failure(readers.error());
  lab->loads = {{"map-drop", 1}};
  add_load(*lab, "direct-read", *readers);
  lab->worker.set("drop-by", "map-fixed");
  lab->worker.set("pin", "1");
  const bool closes = request.variant == "cmdline";
  lab->behaviour = closes ? Behaviour::audit_cmdline : Behaviour::audit_comm;
  lab->expected_class = closes ? "mmap_lock_cycle" : "none";
  if (closes) lab->expected_root = "map-drop/*";
  if (closes) lab->usual_signatures = {"mmap_lock_cycle:mmap_write>service_read"};
  lab->marks = {"proc_pid_cmdline|get_mm_cmdline"};
  return lab;
}

}  // namespace

extern const Scenario kFuseAuditCmdline;
const Scenario kFuseAuditCmdline{
    .id = "fuse-audit-cmdline",
    .summary = "the service reads /proc/PID/cmdline of the client that waits for it",
    .where = "host",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
