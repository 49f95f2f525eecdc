// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/dump_length.h"

#include <elf.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace stallproof {
namespace {

constexpr std::size_t kChunk = 1U << 20U;
constexpr std::uint32_t kMostBlock = 1U << 20U;
constexpr std::uint64_t kFarthest = std::uint64_t{1} << 46U;  // 64 TiB: no dump is longer

// diskdump_mod.h of makedumpfile: what stands behind the signature, the version and six names.
struct KdumpSizes {
  std::uint32_t status;
  std::int32_t block_bytes;
  std::int32_t header_blocks;  // of the second header
  std::uint32_t bitmap_blocks;
};
constexpr std::uint64_t kSizesAt = 424;
constexpr std::uint32_t kIncomplete = 8;  // DUMP_DH_COMPRESSED_INCOMPLETE

// Of a page: zlib, lzo, snappy, zstd.
constexpr std::uint32_t kKnownForms = 0x1 | 0x2 | 0x4 | 0x20;

struct PageDescription {
  std::int64_t place;
  std::uint32_t bytes;
  std::uint32_t flags;
  std::uint64_t page_flags;
};

bool read_at(int file, std::uint64_t place, void* into, std::size_t size) {
  auto* bytes = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = ::pread(file, bytes, size, static_cast<off_t>(place));
    if (got <= 0) return false;
    bytes += got;
    place += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

Failure cut_short(std::uint64_t needed, std::uint64_t length) {
  return fail(
      fmt::format("cut short or damaged: it has {} bytes, its own tables lead to byte {} (copied "
                  "only in part?)",
                  length, needed));
}

// One page is damage, which is told when it is read; so many are a form of their own.
Result<> check_forms(std::uint64_t unknown, std::uint64_t pages) {
  if (unknown * 100 <= pages) return {};
  return fail(fmt::format(
      "{} of its {} pages are compressed in a form that is not known here (where makedumpfile "
      "knows it: `makedumpfile -c OLD NEW` writes it again; or type into crash what `stallproof "
      "explain --crash-script` prints, and give the output)",
      unknown, pages));
}

// Pages in the dump: the bits of the second bitmap. False when it is not all there.
bool count_pages(int file, std::uint64_t place, std::uint64_t size, std::uint64_t& pages) {
  std::vector<std::uint64_t> words(kChunk / 8);
  while (size > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, kChunk));
    std::fill(words.begin(), words.end(), 0);
    if (!read_at(file, place, words.data(), part)) return false;
    for (const std::uint64_t word : words) pages += static_cast<std::uint64_t>(std::popcount(word));
    place += part;
    size -= part;
  }
  return true;
}

Result<> check_kdump(int file, std::uint64_t length) {
  KdumpSizes sizes{};
  if (!read_at(file, kSizesAt, &sizes, sizeof(sizes))) return cut_short(kSizesAt, length);
  if (sizes.block_bytes < 4096 || static_cast<std::uint32_t>(sizes.block_bytes) > kMostBlock ||
      !std::has_single_bit(static_cast<std::uint32_t>(sizes.block_bytes)) ||
      sizes.header_blocks < 0)
    return fail("damaged: a size in its header makes no sense");
  if ((sizes.status & kIncomplete) != 0)
    return fail("makedumpfile itself has marked it as incomplete (was the disk full?)");
  const auto block = static_cast<std::uint64_t>(sizes.block_bytes);
  const std::uint64_t bitmap = (1 + static_cast<std::uint64_t>(sizes.header_blocks)) * block;
  const std::uint64_t half = sizes.bitmap_blocks / 2 * block;
  std::uint64_t pages = 0;
  if (bitmap + 2 * half > length || !count_pages(file, bitmap + half, half, pages))
    return cut_short(bitmap + 2 * half, length);
  std::uint64_t at = bitmap + sizes.bitmap_blocks * block;
  const std::uint64_t end = at + pages * sizeof(PageDescription);
  if (end > length) return cut_short(end, length);
  std::uint64_t needed = end;
  std::uint64_t unknown = 0;
  std::vector<PageDescription> table(kChunk / sizeof(PageDescription));
  while (at < end) {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>((end - at) / sizeof(PageDescription), table.size()));
    if (!read_at(file, at, table.data(), count * sizeof(PageDescription)))
      return cut_short(end, length);
    for (std::size_t i = 0; i < count; ++i) {
      if (table[i].place < 0 || static_cast<std::uint64_t>(table[i].place) > kFarthest)
        return fail("damaged: the place of a page makes no sense");
      needed = std::max(needed, static_cast<std::uint64_t>(table[i].place) + table[i].bytes);
      if ((table[i].flags & ~kKnownForms) != 0) ++unknown;
    }
    at += count * sizeof(PageDescription);
  }
  return needed > length ? Result<>(cut_short(needed, length)) : check_forms(unknown, pages);
}

Result<> check_elf(int file, std::uint64_t length) {
  Elf64_Ehdr head{};
  if (!read_at(file, 0, &head, sizeof(head))) return cut_short(sizeof(head), length);
  if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr)) return {};
  std::uint64_t needed = 0;
  for (std::uint64_t i = 0; i < head.e_phnum && head.e_phnum != PN_XNUM; ++i) {
    Elf64_Phdr part{};
    const std::uint64_t at = head.e_phoff + i * sizeof(part);
    if (at > kFarthest || !read_at(file, at, &part, sizeof(part)))
      return cut_short(at + sizeof(part), length);
    if (part.p_offset > kFarthest || part.p_filesz > kFarthest)
      return fail("damaged: a part of it has no sensible place or size");
    needed = std::max(needed, part.p_offset + part.p_filesz);
  }
  return needed > length ? Result<>(cut_short(needed, length)) : Result<>{};
}

}  // namespace

Result<> check_length(int file) {
  struct stat info {};
  std::array<char, 8> beginning{};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode) ||
      !read_at(file, 0, beginning.data(), beginning.size()))
    return {};
  const auto length = static_cast<std::uint64_t>(info.st_size);
  if (std::memcmp(beginning.data(), ELFMAG, SELFMAG) == 0) return check_elf(file, length);
  if (std::memcmp(beginning.data(), "KDUMP   ", beginning.size()) == 0)
    return check_kdump(file, length);
  return {};
}

}  // namespace stallproof
