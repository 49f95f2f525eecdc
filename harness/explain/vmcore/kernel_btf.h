// SPDX-License-Identifier: Apache-2.0
// Where the fields of the kernel's structures lie, from the BTF that the dump itself contains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_memory.h"

struct btf;

namespace stallproof {

class KernelBtf {
 public:
  struct Bits {
    std::uint32_t first = 0;  // bit, from the beginning of the structure
    std::uint32_t width = 0;  // 0 when it is no bit field
  };

  static Result<KernelBtf> parse(std::span<const std::byte> bytes);
  // Of a module: its types count on from those of `base`, which must outlive it. What is asked for
  // by name is looked for among the module's own.
  static Result<KernelBtf> parse_split(std::span<const std::byte> bytes, const KernelBtf& base);
  // Between __start_BTF and __stop_BTF.
  static Result<KernelBtf> read(const KernelMemory& memory, std::uint64_t start,
                                std::uint64_t stop);
  // By looking for it from `from` on: for kernels whose dump has no symbol table.
  static Result<KernelBtf> find(const KernelMemory& memory, std::uint64_t from);

  // Bytes from the beginning of `type`; `path` may lead through members ("thread.sp"). Of several
  // paths the first that exists counts: for fields that were renamed.
  [[nodiscard]] std::optional<std::uint32_t> offset(
      std::string_view type, std::initializer_list<std::string_view> paths) const;
  [[nodiscard]] std::optional<Bits> bits(std::string_view type, std::string_view path) const;
  [[nodiscard]] std::optional<std::uint32_t> size(std::string_view type) const;
  [[nodiscard]] std::optional<std::uint32_t> enum_value(std::string_view type,
                                                        std::string_view name) const;
  // The name of the type a member has; empty for pointers and what has no name.
  [[nodiscard]] std::string member_type(std::string_view type, std::string_view path) const;

 private:
  struct Freed {
    void operator()(btf* types) const;
  };
  struct Found {
    std::uint32_t bit = 0;
    std::uint32_t width = 0;
    std::uint32_t type = 0;
  };
  [[nodiscard]] std::optional<Found> member(std::uint32_t type, std::string_view path) const;
  [[nodiscard]] std::optional<Found> find_member(std::string_view type,
                                                 std::string_view path) const;
  [[nodiscard]] std::optional<Found> direct_member(std::uint32_t type, std::string_view name,
                                                   int depth) const;
  [[nodiscard]] std::uint32_t bare(std::uint32_t type) const;
  void name_types(std::uint32_t first);

  std::unique_ptr<btf, Freed> types_;
  std::unordered_map<std::string_view, std::uint32_t> named_;  // structures, unions, enumerations
};

}  // namespace stallproof
