// SPDX-License-Identifier: Apache-2.0
// The kernel's memory at one moment, by kernel virtual address. What is not there is absent, never
// zero; whoever reads checks each size and each address that came out of the memory itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace stallproof {

// Kernel half of the address space with five levels of page tables (x86-64).
inline constexpr std::uint64_t kKernelHalf = 0xff00000000000000ULL;
inline bool is_kernel_pointer(std::uint64_t address) {
  return address >= kKernelHalf && (address & 7U) == 0;
}

// Of a CPU when the kernel died.
struct CpuRegisters {
  std::uint64_t ip = 0, sp = 0, bp = 0, cs = 0;
};

class KernelMemory {
 public:
  virtual ~KernelMemory() = default;
  // All of it or false. `into` is undefined after false.
  virtual bool read(std::uint64_t address, void* into, std::size_t size) const = 0;
  [[nodiscard]] virtual std::optional<CpuRegisters> registers(std::int32_t /*cpu*/) const {
    return std::nullopt;
  }

  template <class T>
  [[nodiscard]] std::optional<T> value(std::uint64_t address) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T out{};
    if (!read(address, &out, sizeof(out))) return std::nullopt;
    return out;
  }
  // 0 when it is not there: for pointers, which are checked anyway.
  [[nodiscard]] std::uint64_t pointer(std::uint64_t address) const {
    return value<std::uint64_t>(address).value_or(0);
  }
};

}  // namespace stallproof
