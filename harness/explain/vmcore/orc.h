// SPDX-License-Identifier: Apache-2.0
// ORC: how to get from one frame of a kernel stack to the next (arch/x86/kernel/unwind_orc.c,
// arch/x86/include/asm/orc_types.h, 4.14 to 6.18).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"

namespace stallproof {

// Where an entry keeps its flags. Till 6.3 `type` has 2 bits and the last frame is marked by `end`;
// since 6.4 it has 3 and says so itself.
struct OrcForm {
  bool typed_end = false;
  std::uint32_t signal_bit = 0;  // from the beginning of the entry; 0: it has none (till 6.2)
  std::uint32_t end_bit = 0;

  static std::optional<OrcForm> of(const KernelBtf& btf);
};

struct OrcEntry {
  enum class Kind { undefined, end, call, regs, regs_partial };
  std::int16_t sp_offset = 0;
  std::int16_t bp_offset = 0;
  std::uint8_t sp_reg = 0;
  std::uint8_t bp_reg = 0;
  Kind kind = Kind::undefined;
  bool signal = false;
};

inline constexpr std::size_t kOrcBytes = 6;
OrcEntry decode_orc(const std::array<std::uint8_t, kOrcBytes>& bytes, const OrcForm& form);

// One sorted table: of the kernel or of a module.
struct OrcTable {
  std::uint64_t ips = 0;      // array of int32, each the distance from itself to the code
  std::uint64_t entries = 0;  // array of entries
  std::uint32_t count = 0;
  std::uint64_t code_begin = 0;
  std::uint64_t code_end = 0;
};

class OrcTables {
 public:
  OrcTables(const KernelMemory& memory, OrcForm form) : memory_(memory), form_(form) {}
  void add(const OrcTable& table) { tables_.push_back(table); }
  [[nodiscard]] std::optional<OrcEntry> find(std::uint64_t address) const;

 private:
  [[nodiscard]] std::optional<OrcEntry> look_up(std::uint64_t address) const;
  const KernelMemory& memory_;
  OrcForm form_;
  std::vector<OrcTable> tables_;
  mutable std::unordered_map<std::uint64_t, std::optional<OrcEntry>> known_;
};

}  // namespace stallproof
