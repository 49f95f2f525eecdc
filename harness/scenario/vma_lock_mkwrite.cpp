// SPDX-License-Identifier: Apache-2.0
// A fault that waits for writeback holds the lock of one mapping, of which the kernel records no
// owner; mprotect of the same mapping waits for it in __vma_start_write with mmap_lock held for
// write, and the whole process with it (workloads/victim/map_rewrite.cpp). Before 6.8 faults on
// files took mmap_lock itself: there it is mmap_lock that is held, for read.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"held", "the service takes the write and never answers it"},
                               Named{"slow", "the service answers the write, after a pause", true}};
constexpr std::array kParams{kShortWarmup, kPause};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 2);
  if (!lab) return lab;
  lab->loads = {{"map-rewrite", 4}};
  const bool held = request.variant == "held";
  lab->behaviour = held ? Behaviour::hold_writes : Behaviour::slow_writes;
  lab->expected_class = held ? "vma_lock_held" : "none";
  if (held) lab->expected_root = "map-rewrite/*";
  if (held) lab->usual_signatures = {"vma_lock_held:fault_read>mprotect_write"};
  lab->marks = {"folio_wait_writeback|wait_on_page_writeback"};
  return lab;
}

}  // namespace

extern const Scenario kVmaLockMkwrite;
const Scenario kVmaLockMkwrite{.id = "vma-lock-mkwrite",
                               .summary =
                                   "a write to a page under writeback holds its mapping, mprotect "
                                   "waits for it and holds mmap_lock",
                               .where = "host",
                               .expected_class = "vma_lock_held",
                               .variants = kVariants,
                               .fixes = {},
                               .params = kParams,
                               .plan = plan};

}  // namespace stallproof
