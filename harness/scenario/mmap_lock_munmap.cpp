// SPDX-License-Identifier: Apache-2.0
// munmap of a written page of a shared FUSE mapping writes it back and waits for the service, with
// mmap_lock held for read (fuse_vma_close, 6.1 to 6.18; see workloads/victim/map_drop.cpp).
// mprotect queues for write. A service that looks into the client's memory before it answers queues
// behind.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"cycle", "the service looks into the memory of the client before it answers the write"},
    Named{"held", "the service takes the write and never answers it: a holder, no circle"},
    Named{"slow", "the service answers the write, after a pause", true}};
constexpr std::array kFixes{
    Named{"no-writer", "no mprotect: nobody queues for write, the service passes"}};
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
  if (request.fix != "no-writer") add_load(*lab, "mprotect-storm", *writers);
  lab->worker.set("drop-by", "munmap");
  lab->worker.set("pin", "1");  // lest the service needs the client's memory to serve them
  lab->behaviour = request.variant == "cycle"  ? Behaviour::copy_at_write
                   : request.variant == "held" ? Behaviour::hold_writes
                                               : Behaviour::slow_writes;
  lab->expected_class = request.variant == "cycle"  ? "mmap_lock_cycle"
                        : request.variant == "held" ? "mmap_lock_held"
                                                    : "none";
  if (request.variant != "slow") lab->expected_root = "map-drop/*";
  if (request.variant == "cycle") {
    lab->usual_signatures = {"mmap_lock_cycle:munmap_read>mprotect_write>service_read"};
    lab->marks = {"fuse_vma_close"};
  } else if (request.variant == "held") {
    lab->usual_signatures = {"mmap_lock_held:munmap_read>mprotect_write"};
    lab->marks = {"fuse_vma_close"};
  }
  return lab;
}

}  // namespace

extern const Scenario kMmapLockMunmap;
const Scenario kMmapLockMunmap{
    .id = "mmap-lock-munmap",
    .summary = "munmap of a dirty page waits for the service, with mmap_lock held for read",
    .where = "host",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = kFixes,
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
