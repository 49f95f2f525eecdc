// SPDX-License-Identifier: Apache-2.0
// A file opened without page cache (FOPEN_DIRECT_IO) is mapped while a fault reads one of its
// pages: mmap waits for that page with mmap_lock held for write (workloads/victim/direct_mmap.cpp).
// A service that looks into the client's memory before it answers the read waits for that lock.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"cycle", "the service looks into the memory of the client before it answers the read"},
    Named{"held", "the service takes the read and never answers it: a holder, no circle"},
    Named{"slow", "the service answers the read, after a pause", true}};
// One mmap may wait for several pages, one after the other.
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"pause", "100ms", "what the answer to a page read takes"},
    ScenarioParameter{"mprotect-threads", "2", "threads that call mprotect"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 1);
  if (!lab) return lab;
  const auto writers = read_threads(request.params, "mprotect-threads", 0);
  if (!writers) return Failure(writers.error());
  lab->loads = {{"direct-mmap", 2}};
  add_load(*lab, "mprotect-storm", *writers);
  lab->ffs.set("direct-io", "yes");
  lab->behaviour = request.variant == "cycle"  ? Behaviour::copy_at_read
                   : request.variant == "held" ? Behaviour::hold_reads
                                               : Behaviour::slow_reads;
  lab->expected_class = request.variant == "cycle"  ? "mmap_lock_cycle"
                        : request.variant == "held" ? "mmap_lock_held"
                                                    : "none";
  if (request.variant != "slow") lab->expected_root = "direct-mmap/*";
  if (request.variant == "cycle") {
    // With a writer in the queue before the service, and without one.
    lab->usual_signatures = {"mmap_lock_cycle:mmap_write>mprotect_write>service_read",
                             "mmap_lock_cycle:mmap_write>service_read"};
    lab->marks = {"invalidate_inode_pages2"};
  } else if (request.variant == "held") {
    lab->usual_signatures = {"mmap_lock_held:mmap_write>mprotect_write"};
    lab->marks = {"invalidate_inode_pages2"};
  }
  return lab;
}

}  // namespace

extern const Scenario kMmapLockDirectMmap;
const Scenario kMmapLockDirectMmap{
    .id = "mmap-lock-direct-mmap",
    .summary =
        "mmap of a file waits for a page that the service must read, with mmap_lock held for write",
    .where = "host",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
