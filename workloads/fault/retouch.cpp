// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/retouch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/fault/fault_mapping.h"

namespace stallproof {
namespace {

int errno_of(int result) { return result == 0 ? 0 : errno; }

// Leaves the page cache alone: the next touch is a minor fault.
int dontneed(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size) {
  return errno_of(::madvise(mapping.at(offset), size, MADV_DONTNEED));
}

int drop_from_cache(int file, std::uint64_t offset, std::uint64_t size) {
  return ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(size),
                         POSIX_FADV_DONTNEED);
}

// MADV_PAGEOUT (5.4+) unmaps the page and takes it from the page cache. The older way waits at
// times in __lru_add_drain_all (mm/swap.c, 6.18) for a kernel worker on every CPU, which on a busy
// machine was seen to take more than a second: a dropout that says nothing about the file system.
int pageout(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size) {
  if (::madvise(mapping.at(offset), size, MADV_PAGEOUT) == 0) return 0;
  if (errno != EINVAL) return errno;
  const int error = dontneed(mapping, offset, size);
  return error != 0 ? error : drop_from_cache(mapping.file(), offset, size);
}

int remap(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size) {
  return mapping.remap(offset, size);
}

int hole(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size) {
  return errno_of(::fallocate(mapping.file(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              static_cast<off_t>(offset), static_cast<off_t>(size)));
}

// The first page stays: it says that the file is ours.
int truncate(FaultMapping& mapping, std::uint64_t, std::uint64_t) {
  if (::ftruncate(mapping.file(), static_cast<off_t>(FaultMapping::kPage)) != 0) return errno;
  return errno_of(::ftruncate(mapping.file(), static_cast<off_t>(mapping.size())));
}

// As an invalidation from elsewhere: the page cache is emptied through another descriptor. What is
// mapped stays in the page cache (mapping_evict_folio, mm/truncate.c, 6.12), so it is unmapped
// before, and what is dirty stays until it has been written back.
int external(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size) {
  const int error = dontneed(mapping, offset, size);
  return error != 0 ? error : drop_from_cache(mapping.second_file(), offset, size);
}

constexpr Retouch kTable[] = {
    {.name = "pageout", .drop = pageout, .forgets_private = false, .hint = ""},
    {.name = "dontneed", .drop = dontneed, .hint = ""},
    {.name = "remap",
     .drop = remap,
     .works_locked = true,
     .hint = "too many mappings, or too much locked: sysctl vm.max_map_count, ulimit -l"},
    {.name = "hole",
     .drop = hole,
     .changes_file = true,
     .works_locked = true,
     .hint = "this file system may not know FALLOC_FL_PUNCH_HOLE: use another fault-retouch"},
    {.name = "truncate",
     .drop = truncate,
     .changes_file = true,
     .drops_all = true,
     .works_locked = true,
     .hint = ""},
    {.name = "external", .drop = external, .hint = ""},
    {.name = "none", .drop = nullptr, .forgets_private = false, .works_locked = true, .hint = ""},
};

}  // namespace

std::span<const Retouch> retouch_table() { return kTable; }

const Retouch* find_retouch(std::string_view name) {
  for (const Retouch& row : kTable)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace stallproof
