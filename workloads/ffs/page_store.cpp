// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/page_store.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stallproof {
namespace {

std::uint64_t memory_of_this_machine() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Result<std::unique_ptr<PageStore>> PageStore::create(std::uint64_t bytes) {
  const std::uint64_t memory = memory_of_this_machine();
  if (bytes < kPage || bytes > memory)
    return fail(fmt::format("store-size: {} is not between {} and this machine's memory of {}",
                            bytes, kPage, memory));
  const auto total = static_cast<std::size_t>(bytes / kPage);
  void* const base = ::mmap(nullptr, total * kPage, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return fail_errno(fmt::format("store-size: reserve {} bytes", bytes), errno, "a smaller size");
  return std::unique_ptr<PageStore>(new PageStore(static_cast<std::byte*>(base), total));
}

PageStore::~PageStore() { ::munmap(base_, total_ * kPage); }

std::vector<std::byte*> PageStore::take(std::size_t count) {
  std::vector<std::byte*> pages;
  std::size_t used_before = 0;
  {
    const std::lock_guard lock(mutex_);
    pages.reserve(std::min(count, returned_.size() + total_ - untouched_));
    while (pages.size() < count && !returned_.empty()) {
      pages.push_back(returned_.back());
      returned_.pop_back();
    }
    used_before = pages.size();
    for (; pages.size() < count && untouched_ < total_; ++untouched_)
      pages.push_back(base_ + untouched_ * kPage);
  }
  for (std::size_t i = 0; i < used_before; ++i) std::memset(pages[i], 0, kPage);
  return pages;
}

void PageStore::give_back(std::byte* page) {
  const std::lock_guard lock(mutex_);
  returned_.push_back(page);
}

std::size_t PageStore::free_pages() const {
  const std::lock_guard lock(mutex_);
  return returned_.size() + total_ - untouched_;
}

}  // namespace stallproof
