// SPDX-License-Identifier: Apache-2.0
#include "harness/board/evidence.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "harness/board/shared_memory.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kEvidenceMagic = 0x656369766e656473ULL;

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

}  // namespace stallproof
