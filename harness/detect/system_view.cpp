// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/system_view.h"

namespace stallproof {
namespace {

void add_slot(const BoardSlot& slot, Nanos now, LoadView& load) {
  load.ops += slot.ops.load(std::memory_order_acquire);
  const Nanos done = slot.last_done_ns.load(std::memory_order_relaxed);
  if (done > load.last_done_ns) load.last_done_ns = done;
  if (slot.left.load(std::memory_order_relaxed) != 0) return;
  const Nanos started = slot.op_started_ns.load(std::memory_order_acquire);
  if (started == 0) return;
  if (now != 0 && started > now) return;  // an op that is due later
  ++load.in_flight;
  if (load.oldest_op_started_ns == 0 || started < load.oldest_op_started_ns) {
    load.oldest_op_started_ns = started;
    load.oldest_op_tid = slot.tid.load(std::memory_order_relaxed);
  }
}

}  // namespace

void read_board(const Board& board, SystemView& view) {
  const auto entries = board.loads();
  view.load_count = entries.size();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    view.loads[i] = LoadView{};
    for (const BoardSlot& slot : board.slots_of(entries[i]))
      add_slot(slot, view.now_ns, view.loads[i]);
  }
}

}  // namespace stallproof
