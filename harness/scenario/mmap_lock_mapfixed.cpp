// SPDX-License-Identifier: Apache-2.0
// mmap with MAP_FIXED over a written page of a shared FUSE mapping writes it back and waits for the
// service, with mmap_lock held for write (fuse_vma_close in __mmap_region, 6.1 to 6.18). A service
// that looks into the client's memory before it answers waits for that lock: no third party needed.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"cycle", "the service looks into the memory of the client before it answers the write"},
    Named{"held", "the service takes the write and never answers it: a holder, no circle"},
    Named{"slow", "the service answers the write, after a pause", true}};
constexpr std::array kParams{
    kShortWarmup, kPause, ScenarioParameter{"direct-threads", "2", "threads that do direct reads"},
    ScenarioParameter{"mprotect-threads", "2", "threads that call mprotect"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 1);
  if (!lab) return lab;
  const auto readers = read_threads(request.params, "direct-threads", 0);
  if (!readers) return Failure(readers.error());
  const auto writers = read_threads(request.params, "mprotect-threads", 0);
  if (!writers) return Failure(writers.error());
  lab->loads = {{"map-drop", 1}};
  add_load(*lab, "direct-read", *readers);
  add_load(*lab, "mprotect-storm", *writers);
  lab->worker.set("drop-by", "map-fixed");
  lab->worker.set("pin", "1");  // lest the service needs the client's memory to serve them
  lab->behaviour = request.variant == "cycle"  ? Behaviour::copy_at_write
                   : request.variant == "held" ? Behaviour::hold_writes
                                               : Behaviour::slow_writes;
  lab->expected_class = request.variant == "cycle"  ? "mmap_lock_cycle"
                        : request.variant == "held" ? "mmap_lock_held"
                                                    : "none";
  if (request.variant != "slow") lab->expected_root = "map-drop/*";
  if (request.variant == "cycle") {
    // With a writer in the queue before the service, and without one.
    lab->usual_signatures = {"mmap_lock_cycle:mmap_write>mprotect_write>service_read",
                             "mmap_lock_cycle:mmap_write>service_read"};
    lab->marks = {"fuse_vma_close", "process_vm_rw"};
  } else if (request.variant == "held") {
    lab->usual_signatures = {"mmap_lock_held:mmap_write>mprotect_write"};
    lab->marks = {"fuse_vma_close"};
  }
  return lab;
}

}  // namespace

extern const Scenario kMmapLockMapfixed;
const Scenario kMmapLockMapfixed{
    .id = "mmap-lock-mapfixed",
    .summary =
        "a mapping put over a dirty page waits for the service, with mmap_lock held for write",
    .where = "host",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
