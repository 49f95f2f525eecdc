// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/replay_plan.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace stallproof {
namespace {

constexpr std::uint64_t kFirstPlace = 0x100000000000;
constexpr std::uint64_t kLastPlace = 0x600000000000;  // the kernel places from 0x7f… downwards
constexpr std::uint64_t kPlaceStep = 0x020000000000;
constexpr std::uint64_t kPage = 4096;
constexpr int kReserved = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

void* pointer_to(std::uint64_t address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

bool is_harmless(std::uint64_t advice) {
  constexpr std::array<std::uint64_t, 16> kHarmless{
      MADV_NORMAL, MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED,   MADV_DONTNEED,   MADV_FREE,
      MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK,     MADV_HUGEPAGE,   MADV_NOHUGEPAGE, MADV_DONTDUMP,
      MADV_DODUMP, MADV_COLD,     MADV_PAGEOUT,    MADV_UNMERGEABLE};
  return std::find(kHarmless.begin(), kHarmless.end(), advice) != kHarmless.end();
}

std::uint64_t mmap_flags_here(std::uint64_t recorded) {
  const std::uint64_t kind = (recorded & MAP_SHARED) != 0 ? MAP_SHARED : MAP_PRIVATE;
  return kind | MAP_ANONYMOUS | MAP_FIXED | (recorded & (MAP_NORESERVE | MAP_STACK));
}

// brk as what it does to the map: a change of the end of one mapping. The first only says where
// that is.
class Heap {
 public:
  std::optional<MapOperation> change(MapOperation call) {
    const std::uint64_t end = (call.address + kPage - 1) / kPage * kPage;
    const std::uint64_t before = std::exchange(end_, end);
    if (before == 0 || before == end) return std::nullopt;
    call.call = end > before ? MapCall::mmap : MapCall::munmap;
    call.address = std::min(before, end);
    call.length = std::max(before, end) - call.address;
    call.prot = PROT_READ | PROT_WRITE;
    call.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    return call;
  }

 private:
  std::uint64_t end_ = 0;
};

void place(MapOperation& call, const AddressMap& map, std::uint64_t base) {
  if (call.call == MapCall::clone || call.call == MapCall::exit) return;
  call.address = base + map.offset_of(call.address);
  if (call.call == MapCall::mmap) call.flags = mmap_flags_here(call.flags);
  call.prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
  if (call.call != MapCall::mremap) return;
  call.from_address = base + map.offset_of(call.from_address);
  const bool moves = call.address != call.from_address;
  call.flags = moves ? MREMAP_MAYMOVE | MREMAP_FIXED | (call.flags & MREMAP_DONTUNMAP) : 0;
}

// Nothing: not to be made here.
std::optional<MapOperation> call_here(const MapOperation& recorded, const AddressMap& map,
                                      std::uint64_t base, Heap& heap) {
  std::optional<MapOperation> call = recorded;
  if (call->call == MapCall::brk) call = heap.change(*call);
  if (!call) return call;
  if (call->call == MapCall::clone && call->child == kNoThread) return std::nullopt;
  if (call->call == MapCall::madvise && !is_harmless(call->flags)) return std::nullopt;
  place(*call, map, base);
  return call;
}

}  // namespace

Result<MapArea> MapArea::reserve(std::uint64_t size) {
  MapArea area;
  if (size == 0) return area;
  for (std::uint64_t at = kFirstPlace; at + size <= kLastPlace; at += kPlaceStep) {
    void* const wanted = pointer_to(at);
    void* const got = ::mmap(wanted, size, PROT_NONE, kReserved | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == wanted) {
      area.base_ = at;
      area.size_ = size;
      return area;
    }
    // Before 4.17 the address was only a wish.
    if (got != MAP_FAILED) ::munmap(got, size);
  }
  return fail(fmt::format("no room for {} MiB of address space", size >> 20U));
}

MapArea::MapArea(MapArea&& other) noexcept
    : base_(std::exchange(other.base_, 0)), size_(std::exchange(other.size_, 0)) {}

MapArea& MapArea::operator=(MapArea&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  return *this;
}

MapArea::~MapArea() {
  if (size_ != 0) ::munmap(pointer_to(base_), size_);
}

bool MapArea::reset() const {
  return size_ == 0 ||
         ::mmap(pointer_to(base_), size_, PROT_NONE, kReserved | MAP_FIXED, -1, 0) != MAP_FAILED;
}

ReplayPlan::ReplayPlan(MapProfile profile, const AddressMap& map, std::uint64_t base)
    : duration_us_(profile.duration_us) {
  count_threads(profile.operations, profile.threads);
  Heap heap;
  first_.assign(profile.threads + std::size_t{1}, 0);
  for (const MapOperation& recorded : profile.operations) {
    const auto call = call_here(recorded, map, base, heap);
    if (!call && recorded.call != MapCall::brk) ++left_out_;
    if (!call) continue;
    calls_.push_back(*call);
    ++first_[call->thread + std::size_t{1}];
    duration_us_ = std::max(duration_us_, call->at_us);
  }
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  std::stable_sort(calls_.begin(), calls_.end(), [](const MapOperation& a, const MapOperation& b) {
    return a.thread < b.thread;
  });
}

void ReplayPlan::count_threads(const std::vector<MapOperation>& operations, std::uint32_t threads) {
  std::vector<bool> born(threads), calls(threads);
  for (const MapOperation& each : operations) {
    calls[each.thread] = true;
    if (each.child != kNoThread) born[each.child] = true;
  }
  for (std::uint32_t thread = 0; thread < threads; ++thread)
    if (calls[thread] && !born[thread]) roots_.push_back(thread);
  std::size_t now = threads_at_once_ = roots_.size();
  for (const MapOperation& each : operations) {
    if (each.child != kNoThread) threads_at_once_ = std::max(threads_at_once_, ++now);
    if (each.call == MapCall::exit) --now;
  }
}

std::span<const MapOperation> ReplayPlan::calls_of(std::uint32_t thread) const {
  return std::span(calls_).subspan(first_[thread],
                                   first_[thread + std::size_t{1}] - first_[thread]);
}

}  // namespace stallproof
