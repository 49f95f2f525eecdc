// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/orc.h"

#include <cstring>

namespace stallproof {
namespace {

constexpr std::uint32_t kMostEntries = 16U << 20U;
constexpr std::uint32_t kTypeBit = 40;

bool bit_of(const std::array<std::uint8_t, kOrcBytes>& bytes, std::uint32_t bit) {
  return bit != 0 && bit / 8 < kOrcBytes && (bytes[bit / 8] >> (bit % 8) & 1U) != 0;
}

OrcEntry::Kind typed_kind(unsigned type) {
  using enum OrcEntry::Kind;
  constexpr std::array kKinds{undefined, end, call, regs, regs_partial};
  return type < kKinds.size() ? kKinds[type] : undefined;
}

OrcEntry::Kind old_kind(unsigned type) {
  using enum OrcEntry::Kind;
  constexpr std::array kKinds{call, regs, regs_partial};
  return type < kKinds.size() ? kKinds[type] : undefined;
}

}  // namespace

std::optional<OrcForm> OrcForm::of(const KernelBtf& btf) {
  const auto type = btf.bits("orc_entry", "type");
  if (!type || type->first != kTypeBit) return std::nullopt;
  OrcForm form;
  if (const auto end = btf.bits("orc_entry", "end"); end && end->width == 1) {
    form.end_bit = end->first;
  } else {
    if (type->width != 3) return std::nullopt;
    form.typed_end = true;
  }
  if (const auto signal = btf.bits("orc_entry", "signal"); signal && signal->width == 1)
    form.signal_bit = signal->first;
  return form;
}

OrcEntry decode_orc(const std::array<std::uint8_t, kOrcBytes>& bytes, const OrcForm& form) {
  OrcEntry entry;
  std::memcpy(&entry.sp_offset, bytes.data(), 2);
  std::memcpy(&entry.bp_offset, bytes.data() + 2, 2);
  entry.sp_reg = static_cast<std::uint8_t>(bytes[4] & 0xfU);
  entry.bp_reg = static_cast<std::uint8_t>(bytes[4] >> 4U);
  entry.signal = bit_of(bytes, form.signal_bit);
  if (form.typed_end) {
    entry.kind = typed_kind(bytes[5] & 7U);
    return entry;
  }
  entry.kind = old_kind(bytes[5] & 3U);
  // Without a register the end is marked, or nothing is known (unwind_next_frame, 4.14 to 6.3).
  if (entry.sp_reg == 0)
    entry.kind = bit_of(bytes, form.end_bit) ? OrcEntry::Kind::end : OrcEntry::Kind::undefined;
  return entry;
}

std::optional<OrcEntry> OrcTables::find(std::uint64_t address) const {
  const auto known = known_.find(address);
  if (known != known_.end()) return known->second;
  return known_.emplace(address, look_up(address)).first->second;
}

std::optional<OrcEntry> OrcTables::look_up(std::uint64_t address) const {
  for (const OrcTable& table : tables_) {
    if (address < table.code_begin || address >= table.code_end) continue;
    if (table.count == 0 || table.count > kMostEntries) return std::nullopt;
    // The last entry that begins at or before the address.
    std::uint32_t low = 0;
    std::uint32_t high = table.count;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      const std::uint64_t place = table.ips + std::uint64_t{middle} * 4;
      const auto distance = memory_.value<std::int32_t>(place);
      if (!distance) return std::nullopt;
      const std::uint64_t code =
          place + static_cast<std::uint64_t>(static_cast<std::int64_t>(*distance));
      if (code <= address)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == 0) return std::nullopt;
    const auto bytes = memory_.value<std::array<std::uint8_t, kOrcBytes>>(
        table.entries + std::uint64_t{low - 1} * kOrcBytes);
    if (!bytes) return std::nullopt;
    return decode_orc(*bytes, form_);
  }
  return std::nullopt;
}

}  // namespace stallproof
