// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kallsyms.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace stallproof {
namespace {

constexpr std::uint32_t kMostSymbols = 4U << 20U;
constexpr std::size_t kTokens = 256;
constexpr std::size_t kLongestToken = 512;
constexpr std::size_t kLongestName = 2048;  // KSYM_NAME_LEN is 512 since 6.1
constexpr std::size_t kWindow = 64U << 10U;

Failure damaged(const char* what) {
  return fail(std::string("the kernel's symbol table: ") + what);
}

// Bytes in order, from an array whose length is not known.
class Stream {
 public:
  Stream(const KernelMemory& memory, std::uint64_t address) : memory_(memory), next_(address) {}
  // -1 when it is not there.
  int byte() {
    if (at_ == held_ && !fill()) return -1;
    return window_[at_++];
  }

 private:
  bool fill() {
    // Up to the end of a page: the next one may be missing.
    const std::size_t size = 4096 - next_ % 4096;
    if (!memory_.read(next_, window_.data(), size)) return false;
    next_ += size;
    held_ = size;
    at_ = 0;
    return true;
  }
  const KernelMemory& memory_;
  std::uint64_t next_;
  std::array<std::uint8_t, 4096> window_{};
  std::size_t at_ = 0;
  std::size_t held_ = 0;
};

Result<std::vector<std::string>> read_tokens(const KernelMemory& memory,
                                             const KallsymsPlaces& places) {
  std::array<std::uint16_t, kTokens> index{};
  if (!memory.read(places.token_index, index.data(), sizeof(index)))
    return damaged("its token index is not in the dump");
  std::vector<std::string> tokens;
  for (const std::uint16_t place : index) {
    Stream stream(memory, places.token_table + place);
    std::string token;
    for (int byte = stream.byte(); byte != 0; byte = stream.byte()) {
      if (byte < 0 || token.size() >= kLongestToken) return damaged("its tokens are damaged");
      token += static_cast<char>(byte);
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// One packed name, type letter first. False at damage.
bool next_name(Stream& stream, const std::vector<std::string>& tokens, std::string& name) {
  name.clear();
  const int first = stream.byte();
  if (first < 0) return false;
  auto length = static_cast<std::size_t>(first);
  if ((length & 0x80U) != 0) {
    const int second = stream.byte();
    if (second < 0) return false;
    length = (length & 0x7fU) | static_cast<std::size_t>(second) << 7U;
  }
  if (length == 0 || length > kLongestName) return false;
  for (std::size_t i = 0; i < length; ++i) {
    const int token = stream.byte();
    if (token < 0) return false;
    name += tokens[static_cast<std::size_t>(token)];
    if (name.size() > kLongestName) return false;
  }
  return name.size() >= 2;
}

// Two ways to read an offset: as it is, or (CONFIG_KALLSYMS_ABSOLUTE_PERCPU) negative for places
// in the kernel and positive for numbers that are no places.
enum class Offsets { plain, absolute_percpu };

std::uint64_t place_of(std::int32_t offset, std::uint64_t base, Offsets form) {
  if (form == Offsets::plain) return base + static_cast<std::uint32_t>(offset);
  if (offset >= 0) return static_cast<std::uint64_t>(offset);
  return base - 1 - static_cast<std::uint64_t>(static_cast<std::int64_t>(offset));
}

Result<std::vector<std::int32_t>> read_offsets(const KernelMemory& memory,
                                               const KallsymsPlaces& places) {
  const auto count = memory.value<std::uint32_t>(places.num_syms);
  if (!count) return damaged("its length is not in the dump");
  if (*count == 0 || *count > kMostSymbols) return damaged("its length is no sensible number");
  std::vector<std::int32_t> offsets(*count);
  for (std::size_t at = 0; at < offsets.size(); at += kWindow / 4) {
    const std::size_t part = std::min(offsets.size() - at, kWindow / 4);
    if (!memory.read(places.offsets + at * 4, &offsets[at], part * 4))
      return damaged("part of its addresses is not in the dump");
  }
  return offsets;
}

}  // namespace

std::optional<KallsymsPlaces> KallsymsPlaces::of(const Vmcoreinfo& info) {
  const auto at = [&info](const char* name) { return info.symbol(name).value_or(0); };
  const KallsymsPlaces places{at("kallsyms_names"),
                              at("kallsyms_num_syms"),
                              at("kallsyms_token_table"),
                              at("kallsyms_token_index"),
                              at("kallsyms_offsets"),
                              at("kallsyms_relative_base"),
                              at("_stext")};
  if (places.names == 0 || places.num_syms == 0 || places.token_table == 0 ||
      places.token_index == 0 || places.offsets == 0 || places.relative_base == 0)
    return std::nullopt;
  return places;
}

Result<> read_kallsyms(const KernelMemory& memory, const KallsymsPlaces& places,
                       const EachSymbol& each) {
  const auto base = memory.value<std::uint64_t>(places.relative_base);
  if (!base) return damaged("its base is not in the dump");
  const auto tokens = read_tokens(memory, places);
  if (!tokens) return Failure(tokens.error());
  const auto offsets = read_offsets(memory, places);
  if (!offsets) return Failure(offsets.error());
  const auto negative = std::count_if(offsets->begin(), offsets->end(),
                                      [](std::int32_t offset) { return offset < 0; });
  const Offsets form = static_cast<std::size_t>(negative) > offsets->size() / 2
                           ? Offsets::absolute_percpu
                           : Offsets::plain;
  Stream stream(memory, places.names);
  std::string name;
  bool stext_right = false;
  for (const std::int32_t offset : *offsets) {
    if (!next_name(stream, *tokens, name)) return damaged("its names are damaged");
    const std::uint64_t address = place_of(offset, *base, form);
    const std::string_view bare = std::string_view(name).substr(1);
    if (bare == "_stext") stext_right = address == places.stext;
    each(address, name[0], bare);
  }
  if (!stext_right) return damaged("_stext is not where VMCOREINFO says: damaged or a new form");
  return {};
}

}  // namespace stallproof
