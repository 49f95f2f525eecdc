// SPDX-License-Identifier: Apache-2.0
// Where the addresses of a profile go when it is replayed: into one area of our own, so that a
// fixed mapping never hits anything else of this process. What lay together stays together and
// keeps its place within 2 MiB (huge pages, merging of neighbours); what lay apart stays apart;
// empty space between is left out. Pure; any thread may translate.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/base/result.h"
#include "workloads/storm/map_profile.h"

namespace stallproof {

inline constexpr std::uint64_t kMapChunk = 2U << 20U;
// Of the area: 32 TiB.
inline constexpr std::uint64_t kMaxMapArea = 1ULL << 45U;

class AddressMap {
 public:
  // Of everything the operations touch. An Error when that is more than kMaxMapArea.
  static Result<AddressMap> of(const std::vector<MapOperation>& operations);

  // Bytes of the area, a multiple of kMapChunk.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Offset in the area of an address that an operation of the profile touches.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t address) const;

 private:
  struct Stretch {
    std::uint64_t first, end;  // recorded addresses, multiples of kMapChunk
    std::uint64_t offset;
  };
  void add(std::uint64_t address, std::uint64_t length);
  void merge();
  std::vector<Stretch> stretches_;
  std::uint64_t size_ = 0;
};

}  // namespace stallproof
