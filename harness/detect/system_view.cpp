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
  view.load_count = 0;
  add_board(board, view);
}

void add_board(const Board& board, SystemView& view) {
  for (const LoadEntry& entry : board.loads()) {
    if (view.load_count == view.loads.size()) return;
    LoadView& load = view.loads[view.load_count++];
    load = LoadView{};
    for (const BoardSlot& slot : board.slots_of(entry)) add_slot(slot, view.now_ns, load);
  }
}

}  // namespace stallproof
