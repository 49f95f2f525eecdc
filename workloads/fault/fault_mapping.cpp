// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/fault_mapping.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace stallproof {
namespace {

int advice_of(MappingAdvice advice) {
  switch (advice) {
    case MappingAdvice::random:
      return MADV_RANDOM;
    case MappingAdvice::sequential:
      return MADV_SEQUENTIAL;
    case MappingAdvice::normal:
      break;
  }
  return MADV_NORMAL;
}

std::string lock_hint() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return fmt::format("ulimit -l is {} KiB; a smaller file-size, or fault-mlock=off",
                     limit.rlim_cur / 1024);
}

}  // namespace

// A private mapping that is never written needs no memory set aside for copies of its pages.
Result<> FaultMapping::map(TestFile file, const std::string& path, const FaultOptions& options) {
  unmap();
  file_ = std::move(file);
  options_ = options;
  const std::uint64_t size = file_.end() / kPage * kPage;
  second_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!second_.valid()) return fail_errno("mapped-fault: open " + path, errno);
  if (auto prepared = prepare_cache(); !prepared) return prepared;
  protection_ = PROT_READ | (options.writes() ? PROT_WRITE : 0);
  kind_ = options.private_mapping ? MAP_PRIVATE : MAP_SHARED;
  void* base = ::mmap(nullptr, size, protection_, kind_, file_.fd.get(), 0);
  if (base == MAP_FAILED) {
    const int error = errno;
    return fail_errno(fmt::format("mapped-fault: map {} bytes of {}", size, path), error,
                      error == ENOMEM ? "address space or sysctl vm.max_map_count is used up"
                      : error == ENODEV || error == EINVAL || error == EACCES
                          ? "this file system may not offer such a mapping: try "
                            "fault-mapping=private or fault-writes=0"
                          : "");
  }
  base_ = static_cast<std::byte*>(base);
  size_ = size;
  if (const int error = advise(base_, size_); error != 0)
    return fail_errno("mapped-fault: madvise of the mapping of " + path, error,
                      "fault-huge needs a kernel with transparent huge pages");
  // Of a file that is divided only the own part.
  std::byte* const own = base_ + file_.begin;
  const std::uint64_t own_size = size_ - file_.begin;
  if (options.start == StartState::populated &&
      ::mmap(own, own_size, protection_, kind_ | MAP_FIXED | MAP_POPULATE, file_.fd.get(),
             static_cast<off_t>(file_.begin)) == MAP_FAILED)
    return fail_errno("mapped-fault: populate the mapping of " + path, errno);
  if (const int error = lock(own, own_size); error != 0)
    return fail_errno(fmt::format("mapped-fault: mlock {} bytes of {}", own_size, path), error,
                      lock_hint());
  return {};
}

Result<> FaultMapping::prepare_cache() const {
  if (options_.start != StartState::cold) return {};
  if (::fsync(file()) != 0 && errno != EINVAL && errno != EROFS)
    return fail_errno("mapped-fault: fsync before a cold start", errno);
  if (const int error = ::posix_fadvise(second_file(), 0, 0, POSIX_FADV_DONTNEED); error != 0)
    return fail_errno("mapped-fault: empty the page cache for a cold start", error);
  return {};
}

// MADV_RANDOM: no readahead, so one touch is one page read, in the faulting thread's name.
int FaultMapping::advise(std::byte* at, std::uint64_t size) const {
  if (options_.advice != MappingAdvice::normal &&
      ::madvise(at, size, advice_of(options_.advice)) != 0)
    return errno;
  if (options_.huge == HugePages::unchanged) return 0;
  const int advice = options_.huge == HugePages::on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  return ::madvise(at, size, advice) == 0 ? 0 : errno;
}

int FaultMapping::lock(std::byte* at, std::uint64_t size) const {
  if (options_.locking == Locking::off) return 0;
  const unsigned on_fault = options_.locking == Locking::on_fault ? MLOCK_ONFAULT : 0U;
  return ::mlock2(at, size, on_fault) == 0 ? 0 : errno;
}

int FaultMapping::remap(std::uint64_t offset, std::uint64_t size) {
  std::byte* const wanted = at(offset);
  void* got =
      ::mmap(wanted, size, protection_, kind_ | MAP_FIXED, file(), static_cast<off_t>(offset));
  if (got == MAP_FAILED) return errno;
  if (const int error = advise(wanted, size); error != 0) return error;
  return lock(wanted, size);
}

int FaultMapping::protect(std::uint64_t offset, std::uint64_t size, bool writable) {
  return ::mprotect(at(offset), size, PROT_READ | (writable ? PROT_WRITE : 0)) == 0 ? 0 : errno;
}

int FaultMapping::read_behind(std::uint64_t offset, std::uint64_t& word) const {
  const ssize_t got = ::pread(second_file(), &word, sizeof word, static_cast<off_t>(offset));
  if (got < 0) return errno;
  return got == static_cast<ssize_t>(sizeof word) ? 0 : ENODATA;
}

void FaultMapping::unmap() noexcept {
  if (base_ != nullptr) ::munmap(base_, size_);
  base_ = nullptr;
  size_ = 0;
}

}  // namespace stallproof
