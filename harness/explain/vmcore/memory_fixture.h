// SPDX-License-Identifier: Apache-2.0
// Memory made by a test: what was put is there, everything else is missing.
#pragma once

#include <cstring>
#include <map>
#include <string_view>

#include "harness/explain/vmcore/kernel_memory.h"

namespace stallproof {

class MadeMemory final : public KernelMemory {
 public:
  bool read(std::uint64_t address, void* into, std::size_t size) const override {
    auto* out = static_cast<std::uint8_t*>(into);
    for (std::size_t i = 0; i < size; ++i) {
      const auto found = bytes_.find(address + i);
      if (found == bytes_.end()) return false;
      out[i] = found->second;
    }
    return true;
  }
  template <class T>
  MadeMemory& put(std::uint64_t address, const T& value) {
    std::uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_[address + i] = bytes[i];
    return *this;
  }
  MadeMemory& put_text(std::uint64_t address, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      bytes_[address + i] = static_cast<std::uint8_t>(text[i]);
    return *this;
  }
  MadeMemory& zeros(std::uint64_t address, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_[address + i] = 0;
    return *this;
  }
  MadeMemory& forget(std::uint64_t address, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.erase(address + i);
    return *this;
  }

 private:
  std::map<std::uint64_t, std::uint8_t> bytes_;
};

}  // namespace stallproof
