// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/slot_pool.h"

namespace stallproof {
namespace {

void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace

void SlotPool::resize(unsigned slots) {
  places_ = std::make_unique<Place[]>(slots);
  count_ = slots;
}

void SlotPool::offer(unsigned index, BoardSlot& slot) {
  places_[index].slot = &slot;
  places_[index].free.store(true, std::memory_order_release);
}

SlotPool::Place* SlotPool::take() {
  for (unsigned i = 0; i < count_; ++i) {
    Place& place = places_[i];
    if (place.free.load(std::memory_order_relaxed) &&
        place.free.exchange(false, std::memory_order_acquire))
      return &place;
  }
  return nullptr;
}

// The slot is still ours alone: what found none is added to its counters.
void SlotPool::give(Place& place) {
  if (unseen_.load(std::memory_order_relaxed) != 0) {
    add_to(place.slot->ops, unseen_.exchange(0, std::memory_order_relaxed));
    add_to(place.slot->errors, unseen_errors_.exchange(0, std::memory_order_relaxed));
  }
  place.free.store(true, std::memory_order_release);
}

}  // namespace stallproof
