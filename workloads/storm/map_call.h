// SPDX-License-Identifier: Apache-2.0
// The words that calls on a memory map are written in: protections, flags, advice. Numbers are
// those of x86-64 Linux; what has no word is written in hexadecimal, so nothing is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

enum class MapCall : std::uint8_t { mmap, munmap, mprotect, madvise, brk, mremap, clone, exit };
inline constexpr std::size_t kMapCalls = 8;

std::string_view map_call_name(MapCall call);
std::optional<MapCall> map_call_of(std::string_view word);

// "none", "r", "rw", "rx", "rwx"; "0x1000003" with other bits.
std::string protection_text(std::uint32_t prot);
std::optional<std::uint32_t> protection_of(std::string_view word);

// "private|anonymous|fixed"; "0" for none.
std::string mmap_flags_text(std::uint64_t flags);
std::optional<std::uint64_t> mmap_flags_of(std::string_view word);

// "dontneed".
std::string advice_text(std::uint64_t advice);
std::optional<std::uint64_t> advice_of(std::string_view word);

// "0x7f00" or "32512".
std::optional<std::uint64_t> number_of(std::string_view word);

}  // namespace stallproof
