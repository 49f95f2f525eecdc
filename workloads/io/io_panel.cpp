// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_panel.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kLongestMask = (std::uint64_t{1} << 48U) - 1;

std::size_t size_for(std::uint32_t slots, std::uint32_t streams) {
  return sizeof(PanelHeader) + std::size_t{slots} * streams * sizeof(PanelCell) +
         alignof(PanelCell);
}

std::size_t cells_at() {
  return (sizeof(PanelHeader) + alignof(PanelCell) - 1) / alignof(PanelCell) * alignof(PanelCell);
}

}  // namespace

OpTotals totals_of(const OpCounters& counters, std::uint32_t interval) {
  OpTotals totals;
  totals.count = counters.count.load(std::memory_order_acquire);
  totals.bytes = counters.bytes.load(std::memory_order_relaxed);
  totals.response_us =
      static_cast<double>(counters.response_ns.load(std::memory_order_relaxed)) * 1e-3;
  totals.response_us_squared = counters.response_us_squared.load(std::memory_order_relaxed);
  const std::uint64_t longest = counters.longest[interval & 3U].load(std::memory_order_relaxed);
  if (longest >> 48U == (interval & 0xffffU))
    totals.max_us = static_cast<double>(longest & kLongestMask) * 1e-3;
  for (std::size_t i = 0; i < kResponseBuckets; ++i)
    totals.buckets[i] = counters.buckets[i].load(std::memory_order_relaxed);
  return totals;
}

IoPanel::IoPanel(IoPanel&& other) noexcept { *this = std::move(other); }

IoPanel& IoPanel::operator=(IoPanel&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(header_, other.header_);
  std::swap(cells_, other.cells_);
  std::swap(streams_, other.streams_);
  return *this;
}

IoPanel::~IoPanel() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

Result<> IoPanel::map(Fd fd, std::size_t size) {
  void* const base =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (base == MAP_FAILED) return fail_errno("panel", errno, "", Origin::infra);
  fd_ = std::move(fd);
  base_ = base;
  size_ = size;
  header_ = static_cast<PanelHeader*>(base);
  cells_ = reinterpret_cast<PanelCell*>(static_cast<char*>(base) + cells_at());
  return {};
}

Result<IoPanel> IoPanel::create(std::uint32_t slots, std::uint32_t streams) {
  const std::size_t size = size_for(slots, streams);
  auto fd = create_shared_memory("stallproof-panel", size);
  if (!fd) return Failure(fd.error());
  IoPanel panel;
  if (auto mapped = panel.map(std::move(*fd), size); !mapped) return Failure(mapped.error());
  panel.header_->slot_count = slots;
  panel.header_->stream_count = panel.streams_ = streams;
  panel.header_->magic = kPanelMagic;
  return panel;
}

Result<IoPanel> IoPanel::attach(int fd) {
  struct stat info {};
  Fd own(::dup(fd));
  if (own.get() < 0 || ::fstat(fd, &info) != 0)
    return fail_errno("panel", errno, "", Origin::infra);
  const auto size = static_cast<std::size_t>(info.st_size);
  IoPanel panel;
  if (size < sizeof(PanelHeader)) return fail("panel: too small", Origin::infra);
  if (auto mapped = panel.map(std::move(own), size); !mapped) return Failure(mapped.error());
  const PanelHeader& header = *panel.header_;
  if (header.magic != kPanelMagic || size_for(header.slot_count, header.stream_count) > size)
    return fail("panel: not one of ours", Origin::infra);
  panel.streams_ = header.stream_count;
  return panel;
}

IoTotals IoPanel::totals(std::uint32_t stream, std::uint32_t first_slot, std::uint32_t slots,
                         std::uint32_t interval) const {
  IoTotals sum;
  for (std::uint32_t slot = first_slot; slot < first_slot + slots; ++slot) {
    const PanelCell& from = cell(slot, stream);
    sum.read += totals_of(from.read, interval);
    sum.write += totals_of(from.write, interval);
  }
  return sum;
}

}  // namespace stallproof
