// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/g1_heap.h"

namespace stallproof {
namespace {

struct AreaShare {
  std::size_t unit;
  std::size_t units;
  unsigned per_mille;
};
constexpr std::array kAreas{AreaShare{4 * kKiB, 1024, 930}, AreaShare{16 * kKiB, 64, 20},
                            AreaShare{1 * kMiB, 8, 10}, AreaShare{2 * kMiB, 8, 10}};
constexpr std::size_t kMetaspace = 1 * kMiB;
constexpr std::size_t kDiscarded = 6 * kMiB;  // of the largest units

constexpr std::size_t all_bytes() {
  std::size_t bytes = kMetaspace;
  for (const AreaShare& area : kAreas) bytes += area.unit * area.units;
  return bytes;
}

}  // namespace

MemoryCall G1Heap::Area::next() {
  if (committed == 0) growing = true;
  if (committed == units) growing = false;
  if (growing) return commit(at + unit * committed++, unit);
  return uncommit(at + unit * --committed, unit);
}

Result<G1Heap> G1Heap::reserve() {
  auto memory = ReservedMemory::map(all_bytes(), PROT_NONE, kReserveFlags);
  if (!memory) return Failure{memory.error()};
  G1Heap heap;
  heap.memory_ = std::move(*memory);
  heap.metaspace_ = heap.memory_.at();
  std::byte* at = heap.metaspace_ + kMetaspace;
  for (std::size_t i = 0; i < kAreas.size(); ++i) {
    heap.areas_[i] = {at, kAreas[i].unit, kAreas[i].units, 0, true};
    at += kAreas[i].unit * kAreas[i].units;
  }
  return heap;
}

MemoryCall G1Heap::grow_metaspace() {
  if (metaspace_used_ == kMetaspace) {
    metaspace_used_ = 0;
    return uncommit(metaspace_, kMetaspace);
  }
  std::byte* const page = metaspace_ + metaspace_used_;
  metaspace_used_ += kPageBytes;
  return protect(page, kPageBytes, PROT_READ | PROT_WRITE);
}

MemoryCall G1Heap::next(Prng& prng) {
  auto drawn = static_cast<unsigned>(prng.below(1000));
  for (std::size_t i = 0; i < kAreas.size(); ++i) {
    if (drawn < kAreas[i].per_mille) return areas_[i].next();
    drawn -= kAreas[i].per_mille;
  }
  if (drawn < kMprotectPerMille) return grow_metaspace();
  return discard(areas_.back().at, kDiscarded);
}

}  // namespace stallproof
