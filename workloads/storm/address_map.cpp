// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/address_map.h"

#include <fmt/format.h>

#include <algorithm>

namespace stallproof {

void AddressMap::add(std::uint64_t address, std::uint64_t length) {
  const std::uint64_t first = address / kMapChunk * kMapChunk;
  // One byte more: the end of a mapping is an address of it too (brk, a call of length 0).
  const std::uint64_t end = (address + length + kMapChunk) / kMapChunk * kMapChunk;
  // Most calls come back to where the last ones were.
  if (!stretches_.empty() && stretches_.back().first <= first && end <= stretches_.back().end)
    return;
  stretches_.push_back({first, end, 0});
}

void AddressMap::merge() {
  std::sort(stretches_.begin(), stretches_.end(),
            [](const Stretch& a, const Stretch& b) { return a.first < b.first; });
  std::vector<Stretch> merged;
  for (const Stretch& each : stretches_) {
    if (!merged.empty() && each.first <= merged.back().end)
      merged.back().end = std::max(merged.back().end, each.end);
    else
      merged.push_back(each);
  }
  stretches_ = std::move(merged);
}

Result<AddressMap> AddressMap::of(const std::vector<MapOperation>& operations) {
  AddressMap map;
  std::uint64_t break_first = UINT64_MAX, break_end = 0;
  for (const MapOperation& each : operations) {
    if (each.call == MapCall::clone || each.call == MapCall::exit) continue;
    if (each.call == MapCall::brk) {
      break_first = std::min(break_first, each.address);
      break_end = std::max(break_end, each.address);
      continue;
    }
    map.add(each.address, each.length);
    if (each.call == MapCall::mremap) map.add(each.from_address, each.from_length);
  }
  if (break_end != 0) map.add(break_first, break_end - break_first);
  map.merge();
  for (Stretch& each : map.stretches_) {
    each.offset = map.size_;
    // A chunk that is never mapped keeps strangers from being merged.
    map.size_ += each.end - each.first + kMapChunk;
  }
  if (map.size_ > kMaxMapArea)
    return fail(fmt::format("its calls touch {} TiB of address space, at most {} can be replayed",
                            map.size_ >> 40U, kMaxMapArea >> 40U));
  return map;
}

std::uint64_t AddressMap::offset_of(std::uint64_t address) const {
  auto after =
      std::upper_bound(stretches_.begin(), stretches_.end(), address,
                       [](std::uint64_t at, const Stretch& each) { return at < each.first; });
  if (after == stretches_.begin()) return 0;
  --after;
  return after->offset + std::min(address - after->first, after->end - after->first);
}

}  // namespace stallproof
