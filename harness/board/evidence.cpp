// SPDX-License-Identifier: Apache-2.0
#include "harness/board/evidence.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kEvidenceMagic = 0x656369766e656473ULL;
constexpr std::uint64_t kRowsCopied = 600;  // 60 s of ticks

// A ring's counter, read so that everything copied before is judged by it.
std::uint64_t count_after_copy(const std::atomic<std::uint64_t>& counter) {
  std::atomic_thread_fence(std::memory_order_acquire);
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

Evidence::Evidence(Evidence&& other) noexcept { *this = std::move(other); }

Evidence& Evidence::operator=(Evidence&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(area_, other.area_);
  return *this;
}

Evidence::~Evidence() {
  if (area_ != nullptr) ::munmap(area_, sizeof(EvidenceArea));
}

Result<Evidence> Evidence::create() {
  auto fd = create_shared_memory("evidence", sizeof(EvidenceArea));
  if (!fd) return Failure(fd.error());
  void* base =
      ::mmap(nullptr, sizeof(EvidenceArea), PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
  if (base == MAP_FAILED) return fail_errno("evidence: map shared memory", errno, "free memory");
  Evidence evidence;
  evidence.fd_ = std::move(*fd);
  evidence.area_ = static_cast<EvidenceArea*>(base);
  evidence.area_->magic = kEvidenceMagic;
  return evidence;
}

Result<Evidence> Evidence::attach(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno("evidence: inherited descriptor", errno, {}, Origin::infra);
  if (static_cast<std::size_t>(info.st_size) < sizeof(EvidenceArea))
    return fail("evidence: too small to be ours", Origin::infra);
  void* base = ::mmap(nullptr, sizeof(EvidenceArea), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return fail_errno("evidence: map", errno, {}, Origin::infra);
  Evidence evidence;
  evidence.area_ = static_cast<EvidenceArea*>(base);
  if (evidence.area_->magic != kEvidenceMagic)
    return fail("evidence: made by another version of stallproof", Origin::infra);
  return evidence;
}

std::string copy_kernel_log(const EvidenceArea& area, std::uint64_t since) {
  const std::uint64_t end = area.kmsg_written.load(std::memory_order_acquire);
  const std::uint64_t begin =
      std::max(end - std::min<std::uint64_t>(end, kKmsgBytes), std::min(since, end));
  const std::size_t size = end - begin;
  const std::size_t head = begin % kKmsgBytes;
  const std::size_t until_wrap = std::min(size, kKmsgBytes - head);
  std::string text(area.kmsg.data() + head, until_wrap);
  text.append(area.kmsg.data(), size - until_wrap);
  // Up to one piece more than the counter says may be written already.
  const std::uint64_t now = count_after_copy(area.kmsg_written) + kKmsgPiece;
  const std::uint64_t oldest = now > kKmsgBytes ? now - kKmsgBytes : 0;
  if (oldest <= begin && begin == since) return text;  // `since` is where a line begins
  const std::uint64_t lost = std::max(oldest, begin) - begin;
  const auto line_end = lost < size ? text.find('\n', lost) : std::string::npos;
  return line_end == std::string::npos ? std::string() : text.substr(line_end + 1);
}

namespace {

// The newest rows of a ring, oldest first; none that is older than the newest `most`.
template <class Row, std::size_t kRows>
std::vector<Row> copy_rows(const std::array<Row, kRows>& ring,
                           const std::atomic<std::uint64_t>& written,
                           std::uint64_t most = kRowsCopied) {
  std::vector<Row> rows;
  const std::uint64_t end = written.load(std::memory_order_acquire);
  for (std::uint64_t i = end - std::min(end, most); i < end; ++i) {
    const Row row = ring[i % kRows];
    // The row that is being written is not counted yet.
    if (count_after_copy(written) < i + kRows) rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::vector<ViewRow> copy_views(const EvidenceArea& area, std::uint64_t since_ns) {
  const std::uint64_t end = area.view_count.load(std::memory_order_acquire);
  // Who says since when may come a little late; the rest is the writer's while we copy.
  const std::uint64_t limit = since_ns == 0 ? kRowsCopied : kViewRows - 20;
  std::uint64_t most = 0;
  while (most < std::min(end, limit) && area.views[(end - most - 1) % kViewRows].at_ns > since_ns)
    ++most;
  return copy_rows(area.views, area.view_count, most);
}

std::optional<ViewRow> newest_view(const EvidenceArea& area) {
  const auto rows = copy_rows(area.views, area.view_count, 1);
  return rows.empty() ? std::nullopt : std::optional(rows.front());
}

std::vector<SystemRow> copy_system_rows(const EvidenceArea& area) {
  return copy_rows(area.system_rows, area.system_count);
}

}  // namespace stallproof
