// SPDX-License-Identifier: Apache-2.0
// Tells board and panel of one I/O: at its start, so that its age is seen if it never ends, and at
// its end. By the thread that owns the slot; a few plain stores. Panel and rows count the response
// from the system call, as vdbench; the board's histogram counts from when the I/O was due, so that
// what a stall held up is seen there (no coordinated omission).
#pragma once

#include "harness/board/board.h"
#include "workloads/io/io_panel.h"
#include "workloads/io/io_stream.h"

namespace stallproof {

inline void io_begins(BoardSlot& slot, const IoRequest& io, Nanos now) {
  slot.op_code.store(static_cast<std::uint32_t>(io.write ? Op::write : Op::read),
                     std::memory_order_relaxed);
  slot.op_offset.store(io.offset, std::memory_order_relaxed);
  slot.op_started_ns.store(now, std::memory_order_release);
}

// `began` as given to io_begins. `error`: 0, or why it failed (as FaultRecord::error); a failed one
// counts on the board only.
inline void io_ends(BoardSlot& slot, PanelCell& cell, const IoRequest& io, Nanos began, Nanos now,
                    std::uint32_t interval, int error) {
  const OpKind kind = io.write ? OpKind::write : OpKind::read;
  slot.note_durations(kind, now - (io.due != 0 ? io.due : began), error == 0 ? io.size : 0);
  if (error == 0)
    (io.write ? cell.write : cell.read).record(now - began, io.size, interval);
  else
    slot.note_failure(kind_of_error(error));
  slot.note_end(kind, now);
}

}  // namespace stallproof
