// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_panel.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::size_t kAlignment = 128;
static_assert(alignof(FileCell) == kAlignment && alignof(AnchorProgress) == kAlignment);
static_assert(sizeof(FileCell) % kAlignment == 0 && sizeof(AnchorProgress) % kAlignment == 0);

constexpr std::size_t kProgressAt =
    (sizeof(FilePanelHeader) + kAlignment - 1) / kAlignment * kAlignment;

std::size_t cells_at(std::uint32_t anchors) {
  return kProgressAt + anchors * sizeof(AnchorProgress);
}

std::size_t size_for(std::uint32_t slots, std::uint32_t anchors) {
  return cells_at(anchors) + slots * sizeof(FileCell);
}

}  // namespace

FilePanel::FilePanel(FilePanel&& other) noexcept { *this = std::move(other); }

FilePanel& FilePanel::operator=(FilePanel&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(header_, other.header_);
  std::swap(progress_, other.progress_);
  std::swap(cells_, other.cells_);
  std::swap(slots_, other.slots_);
  std::swap(anchors_, other.anchors_);
  return *this;
}

FilePanel::~FilePanel() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

Result<> FilePanel::map(Fd fd, std::size_t size) {
  void* const base =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (base == MAP_FAILED) return fail_errno("panel", errno, "", Origin::infra);
  fd_ = std::move(fd);
  base_ = base;
  size_ = size;
  header_ = static_cast<FilePanelHeader*>(base);
  return {};
}

void FilePanel::place(std::uint32_t slots, std::uint32_t anchors) {
  slots_ = slots;
  anchors_ = anchors;
  char* const bytes = static_cast<char*>(base_);
  progress_ = reinterpret_cast<AnchorProgress*>(bytes + kProgressAt);
  cells_ = reinterpret_cast<FileCell*>(bytes + cells_at(anchors));
}

Result<FilePanel> FilePanel::create(std::uint32_t slots, std::uint32_t anchors) {
  const std::size_t size = size_for(slots, anchors);
  auto fd = create_shared_memory("stallproof-panel", size);
  if (!fd) return Failure(fd.error());
  FilePanel panel;
  if (auto mapped = panel.map(std::move(*fd), size); !mapped) return Failure(mapped.error());
  panel.place(slots, anchors);
  panel.header_->slot_count = slots;
  panel.header_->anchor_count = anchors;
  panel.header_->magic = kFilePanelMagic;
  return panel;
}

Result<FilePanel> FilePanel::attach(int fd) {
  struct stat info {};
  Fd own(::dup(fd));
  if (own.get() < 0 || ::fstat(fd, &info) != 0)
    return fail_errno("panel", errno, "", Origin::infra);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size < sizeof(FilePanelHeader)) return fail("panel: too small", Origin::infra);
  FilePanel panel;
  if (auto mapped = panel.map(std::move(own), size); !mapped) return Failure(mapped.error());
  const FilePanelHeader& header = *panel.header_;
  if (header.magic != kFilePanelMagic || size_for(header.slot_count, header.anchor_count) > size)
    return fail("panel: not one of ours", Origin::infra);
  panel.place(header.slot_count, header.anchor_count);
  return panel;
}

FileTotals FilePanel::totals(std::uint32_t first_slot, std::uint32_t slots, std::uint32_t interval,
                             FileOperations requested) const {
  FileTotals sum;
  for (const FileCell& cell : std::span(cells_, slots_).subspan(first_slot, slots))
    for (std::size_t i = 0; i < kFileOperations; ++i)
      sum.operations[i] += totals_of(cell.of[i], interval);
  sum.requested = sum.sum(requested);
  return sum;
}

}  // namespace stallproof
