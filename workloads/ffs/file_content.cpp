// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/file_content.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <vector>

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = PageStore::kPage;

std::uint64_t page_end(std::uint64_t end) { return end / kPage + (end % kPage != 0 ? 1 : 0); }

// The part of a range of bytes that lies in the page of its first byte.
struct Piece {
  std::uint64_t page;
  std::size_t start;  // within the page
  std::size_t length;
};

Piece first_piece(std::uint64_t offset, std::uint64_t length) {
  const auto start = static_cast<std::size_t>(offset % kPage);
  return {offset / kPage, start,
          static_cast<std::size_t>(std::min<std::uint64_t>(length, kPage - start))};
}

}  // namespace

FileContent::FileContent(PageStore& store) : store_(store) { touch(); }

FileContent::~FileContent() { release_from(0); }

void FileContent::touch() {
  ::clock_gettime(CLOCK_REALTIME, &written_);
  modified_ = written_;
}

void FileContent::release_from(std::uint64_t first) {
  const auto start = pages_.lower_bound(first);
  for (auto page = start; page != pages_.end(); ++page) store_.give_back(page->second);
  pages_.erase(start, pages_.end());
}

std::uint64_t FileContent::missing_pages(std::uint64_t first, std::uint64_t end) const {
  const auto present = std::distance(pages_.lower_bound(first), pages_.lower_bound(end));
  return end - first - static_cast<std::uint64_t>(present);
}

std::size_t FileContent::read(std::uint64_t offset, std::span<std::byte> into) const {
  const std::lock_guard lock(mutex_);
  if (offset >= size_) return 0;
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  for (std::size_t done = 0; done < length;) {
    const Piece piece = first_piece(offset + done, length - done);
    const auto page = pages_.find(piece.page);
    if (page == pages_.end())
      std::memset(into.data() + done, 0, piece.length);
    else
      std::memcpy(into.data() + done, page->second + piece.start, piece.length);
    done += piece.length;
  }
  return length;
}

Answer<std::size_t> FileContent::write(std::uint64_t offset, std::span<const std::byte> data,
                                       bool whole) {
  if (data.empty()) return 0U;
  const std::lock_guard lock(mutex_);
  const std::uint64_t missing = missing_pages(offset / kPage, page_end(offset + data.size()));
  std::vector<std::byte*> spare = store_.take(static_cast<std::size_t>(missing));
  const bool short_of_room = spare.size() < missing;
  std::size_t done = 0;
  while (done < data.size() && !(short_of_room && whole)) {
    const Piece piece = first_piece(offset + done, data.size() - done);
    auto page = pages_.find(piece.page);
    if (page == pages_.end()) {
      if (spare.empty()) break;
      page = pages_.emplace(piece.page, spare.back()).first;
      spare.pop_back();
    }
    std::memcpy(page->second + piece.start, data.data() + done, piece.length);
    done += piece.length;
  }
  for (std::byte* page : spare) store_.give_back(page);
  if (done == 0) return deny(ENOSPC);
  size_ = std::max(size_, offset + done);
  touch();
  return done;
}

void FileContent::resize(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size <= size_) {
    release_from(page_end(size));
    const auto last = pages_.find(size / kPage);
    if (last != pages_.end()) std::memset(last->second + size % kPage, 0, kPage - size % kPage);
  }
  size_ = size;
  touch();
}

Answer<> FileContent::allocate(std::uint64_t offset, std::uint64_t length, bool keep_size) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = offset / kPage;
  const std::uint64_t end = page_end(offset + length);
  const std::uint64_t missing = missing_pages(first, end);
  if (missing > store_.total_pages()) return deny(ENOSPC);
  std::vector<std::byte*> spare = store_.take(static_cast<std::size_t>(missing));
  if (spare.size() < missing) {
    for (std::byte* page : spare) store_.give_back(page);
    return deny(ENOSPC);
  }
  for (std::uint64_t page = first; page < end && !spare.empty(); ++page)
    if (pages_.try_emplace(page, spare.back()).second) spare.pop_back();
  if (!keep_size) size_ = std::max(size_, offset + length);
  touch();
  return {};
}

void FileContent::punch_hole(std::uint64_t offset, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = offset + length;
  auto page = pages_.lower_bound(offset / kPage);
  while (page != pages_.end() && page->first * kPage < end) {
    const std::uint64_t base = page->first * kPage;
    const std::uint64_t from = std::max(base, offset) - base;
    const std::uint64_t until = std::min(base + kPage, end) - base;
    if (until - from == kPage) {
      store_.give_back(page->second);
      page = pages_.erase(page);
    } else {
      std::memset(page->second + from, 0, static_cast<std::size_t>(until - from));
      ++page;
    }
  }
  touch();
}

void FileContent::set_modified(const timespec& when) {
  const std::lock_guard lock(mutex_);
  modified_ = when;
}

FileContent::State FileContent::state() const {
  const std::lock_guard lock(mutex_);
  return {size_, pages_.size(), modified_, written_};
}

}  // namespace stallproof
