// SPDX-License-Identifier: Apache-2.0
// Memory made by a test: what was put is there, everything else is missing.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <map>
#include <string_view>

#include "harness/explain/vmcore/kernel_memory.h"

namespace stallproof {

class MadeMemory final : public KernelMemory {
 public:
  bool read(std::uint64_t address, void* into, std::size_t size) const override {
    auto* out = static_cast<std::uint8_t*>(into);
    while (size > 0) {
      const auto found = pages_.find(address / kPageBytes);
      const std::size_t at = address % kPageBytes;
      const std::size_t part = std::min(size, kPageBytes - at);
      if (found == pages_.end() || !found->second.holds(at, part)) return false;
      std::memcpy(out, &found->second.bytes[at], part);
      out += part;
      address += part;
      size -= part;
    }
    return true;
  }
  template <class T>
  MadeMemory& put(std::uint64_t address, const T& value) {
    std::uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) put_byte(address + i, bytes[i]);
    return *this;
  }
  MadeMemory& put_text(std::uint64_t address, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      put_byte(address + i, static_cast<std::uint8_t>(text[i]));
    return *this;
  }
  MadeMemory& zeros(std::uint64_t address, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) put_byte(address + i, 0);
    return *this;
  }
  MadeMemory& forget(std::uint64_t address, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      pages_[(address + i) / kPageBytes].there.reset((address + i) % kPageBytes);
    return *this;
  }

 private:
  static constexpr std::size_t kPageBytes = 4096;
  struct Page {
    std::array<std::uint8_t, kPageBytes> bytes{};
    std::bitset<kPageBytes> there;

    [[nodiscard]] bool holds(std::size_t at, std::size_t size) const {
      if (there.all()) return true;
      for (std::size_t i = at; i < at + size; ++i)
        if (!there[i]) return false;
      return true;
    }
  };

  void put_byte(std::uint64_t address, std::uint8_t byte) {
    Page& page = pages_[address / kPageBytes];
    page.bytes[address % kPageBytes] = byte;
    page.there.set(address % kPageBytes);
  }

  std::map<std::uint64_t, Page> pages_;
};

}  // namespace stallproof
