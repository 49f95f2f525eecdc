// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_btf.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <vector>

namespace stallproof {
namespace {

constexpr std::size_t kMostModules = 4096;
constexpr std::size_t kNameBytes = 56;  // MODULE_NAME_LEN
constexpr std::uint32_t kMostBytes = 16U << 20U;

struct Layout {
  std::uint32_t list, btf;         // of struct btf_module
  std::uint32_t data, size, name;  // of struct btf

  static std::optional<Layout> of(const KernelBtf& kernel) {
    const auto list = kernel.offset("btf_module", {"list"});
    const auto btf = kernel.offset("btf_module", {"btf"});
    const auto data = kernel.offset("btf", {"data"});
    const auto size = kernel.offset("btf", {"data_size"});
    const auto name = kernel.offset("btf", {"name"});
    if (!list || !btf || !data || !size || !name) return std::nullopt;
    return Layout{*list, *btf, *data, *size, *name};
  }
};

std::string name_of(const KernelMemory& memory, std::uint64_t at) {
  std::array<char, kNameBytes> name{};
  if (!memory.read(at, name.data(), name.size())) return {};
  return {name.data(), ::strnlen(name.data(), name.size())};
}

Failure lacking(std::string_view module, const char* why) {
  return fail(fmt::format("the types of module {} are not known: {}", module, why));
}

}  // namespace

Result<KernelBtf> read_module_btf(const KernelMemory& memory, const KernelBtf& kernel,
                                  const SymbolBook& book, std::string_view module) {
  const std::uint64_t head = book.variable("btf_modules");
  const auto layout = Layout::of(kernel);
  if (head == 0 || !layout) return lacking(module, "this kernel keeps no BTF of modules");
  std::uint64_t node = memory.pointer(head);
  for (std::size_t i = 0; i < kMostModules && node != head && is_kernel_pointer(node); ++i) {
    const std::uint64_t btf = memory.pointer(node - layout->list + layout->btf);
    if (is_kernel_pointer(btf) && name_of(memory, btf + layout->name) == module) {
      const std::uint32_t size = memory.value<std::uint32_t>(btf + layout->size).value_or(0);
      if (size == 0 || size > kMostBytes) return lacking(module, "its BTF has no sensible size");
      std::vector<std::byte> bytes(size);
      if (!memory.read(memory.pointer(btf + layout->data), bytes.data(), bytes.size()))
        return lacking(module, "its BTF is not in the dump");
      return KernelBtf::parse_split(bytes, kernel);
    }
    node = memory.pointer(node);
  }
  return lacking(module, "it has no BTF");
}

}  // namespace stallproof
