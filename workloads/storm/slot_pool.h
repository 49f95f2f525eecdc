// SPDX-License-Identifier: Apache-2.0
// Many short-lived threads, few slots: each call leases the slot it is shown in. Calls are mostly
// done before the next comes, so few are enough; in a stall the slots show as many of the stuck
// calls as there are slots. What finds none free is made all the same and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "harness/board/board.h"

namespace stallproof {

class SlotPool {
 public:
  // Before any thread exists.
  void resize(unsigned slots);
  // By the load's own thread, once for its index.
  void offer(unsigned index, BoardSlot& slot);

  // Makes `call` (which returns true when it succeeded) inside an OpScope of a leased slot, as the
  // thread `tid`. Never waits for a slot.
  template <class Call>
  void make(std::uint32_t tid, Op op, std::uint64_t address, const Call& call) {
    Place* const place = take();
    if (place == nullptr) {
      if (!call()) unseen_errors_.fetch_add(1, std::memory_order_relaxed);
      unseen_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    place->slot->tid.store(tid, std::memory_order_relaxed);
    {
      OpScope scope(*place->slot, op, address);
      if (!call()) scope.failed();
    }
    give(*place);
  }

 private:
  struct alignas(64) Place {
    std::atomic<bool> free = false;
    BoardSlot* slot = nullptr;
  };
  Place* take();
  void give(Place& place);
  std::unique_ptr<Place[]> places_;
  unsigned count_ = 0;
  std::atomic<std::uint64_t> unseen_ = 0, unseen_errors_ = 0;
};

}  // namespace stallproof
