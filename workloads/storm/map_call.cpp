// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/map_call.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <charconv>

namespace stallproof {
namespace {

constexpr std::array<std::string_view, kMapCalls> kCallNames{
    "mmap", "munmap", "mprotect", "madvise", "brk", "mremap", "clone", "exit"};

struct Word {
  std::uint64_t value;
  std::string_view text;
};

constexpr std::array kProtections{Word{PROT_NONE, "none"},
                                  Word{PROT_READ, "r"},
                                  Word{PROT_WRITE, "w"},
                                  Word{PROT_READ | PROT_WRITE, "rw"},
                                  Word{PROT_EXEC, "x"},
                                  Word{PROT_READ | PROT_EXEC, "rx"},
                                  Word{PROT_WRITE | PROT_EXEC, "wx"},
                                  Word{PROT_READ | PROT_WRITE | PROT_EXEC, "rwx"}};

// MAP_SHARED_VALIDATE is shared|private.
constexpr std::array kMmapFlags{Word{MAP_SHARED, "shared"},
                                Word{MAP_PRIVATE, "private"},
                                Word{MAP_FIXED, "fixed"},
                                Word{MAP_ANONYMOUS, "anonymous"},
                                Word{MAP_32BIT, "32bit"},
                                Word{MAP_GROWSDOWN, "growsdown"},
                                Word{MAP_DENYWRITE, "denywrite"},
                                Word{MAP_LOCKED, "locked"},
                                Word{MAP_NORESERVE, "noreserve"},
                                Word{MAP_POPULATE, "populate"},
                                Word{MAP_NONBLOCK, "nonblock"},
                                Word{MAP_STACK, "stack"},
                                Word{MAP_HUGETLB, "hugetlb"},
                                Word{MAP_SYNC, "sync"},
                                Word{MAP_FIXED_NOREPLACE, "fixed_noreplace"}};

constexpr std::array kAdvice{
    Word{MADV_NORMAL, "normal"},           Word{MADV_RANDOM, "random"},
    Word{MADV_SEQUENTIAL, "sequential"},   Word{MADV_WILLNEED, "willneed"},
    Word{MADV_DONTNEED, "dontneed"},       Word{MADV_FREE, "free"},
    Word{MADV_REMOVE, "remove"},           Word{MADV_DONTFORK, "dontfork"},
    Word{MADV_DOFORK, "dofork"},           Word{MADV_MERGEABLE, "mergeable"},
    Word{MADV_UNMERGEABLE, "unmergeable"}, Word{MADV_HUGEPAGE, "hugepage"},
    Word{MADV_NOHUGEPAGE, "nohugepage"},   Word{MADV_DONTDUMP, "dontdump"},
    Word{MADV_DODUMP, "dodump"},           Word{MADV_WIPEONFORK, "wipeonfork"},
    Word{MADV_KEEPONFORK, "keeponfork"},   Word{MADV_COLD, "cold"},
    Word{MADV_PAGEOUT, "pageout"}};

template <std::size_t N>
std::string text_in(const std::array<Word, N>& words, std::uint64_t value) {
  for (const Word& word : words)
    if (word.value == value) return std::string(word.text);
  return fmt::format("{:#x}", value);
}

template <std::size_t N>
std::optional<std::uint64_t> value_in(const std::array<Word, N>& words, std::string_view text) {
  for (const Word& word : words)
    if (word.text == text) return word.value;
  return number_of(text);
}

}  // namespace

std::string_view map_call_name(MapCall call) { return kCallNames[static_cast<std::size_t>(call)]; }

std::optional<MapCall> map_call_of(std::string_view word) {
  for (std::size_t i = 0; i < kCallNames.size(); ++i)
    if (kCallNames[i] == word) return static_cast<MapCall>(i);
  return std::nullopt;
}

std::string protection_text(std::uint32_t prot) { return text_in(kProtections, prot); }

std::optional<std::uint32_t> protection_of(std::string_view word) {
  const auto value = value_in(kProtections, word);
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::string mmap_flags_text(std::uint64_t flags) {
  std::string text;
  const auto add = [&text](std::string_view word) {
    if (!text.empty()) text += '|';
    text += word;
  };
  for (const Word& word : kMmapFlags) {
    if ((flags & word.value) == 0) continue;
    add(word.text);
    flags &= ~word.value;
  }
  if (flags != 0) add(fmt::format("{:#x}", flags));
  return text.empty() ? "0" : text;
}

std::optional<std::uint64_t> mmap_flags_of(std::string_view word) {
  std::uint64_t flags = 0;
  for (;;) {
    const std::size_t bar = word.find('|');
    const auto value = value_in(kMmapFlags, word.substr(0, bar));
    if (!value) return std::nullopt;
    flags |= *value;
    if (bar == std::string_view::npos) return flags;
    word.remove_prefix(bar + 1);
  }
}

std::string advice_text(std::uint64_t advice) { return text_in(kAdvice, advice); }
std::optional<std::uint64_t> advice_of(std::string_view word) { return value_in(kAdvice, word); }

std::optional<std::uint64_t> number_of(std::string_view word) {
  const bool hexadecimal = word.starts_with("0x");
  if (hexadecimal) word.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const end = word.data() + word.size();
  const auto [rest, failed] = std::from_chars(word.data(), end, value, hexadecimal ? 16 : 10);
  if (failed != std::errc{} || rest != end || word.empty()) return std::nullopt;
  return value;
}

}  // namespace stallproof
