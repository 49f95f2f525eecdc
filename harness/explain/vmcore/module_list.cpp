// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_list.h"

#include <elf.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace stallproof {
namespace {

constexpr std::size_t kMostModules = 4096;
constexpr std::uint32_t kMostSymbols = 1U << 20U;
constexpr std::uint64_t kMostCode = 256U << 20U;
constexpr std::size_t kNameBytes = 56;  // MODULE_NAME_LEN
constexpr std::size_t kLongestName = 512;
constexpr std::size_t kMostNames = 32U << 20U;

struct Layout {
  std::uint32_t list, name, code, code_bytes, kallsyms;
  std::uint32_t symtab, num_symtab, strtab;
  std::optional<std::uint32_t> num_orcs, orc_ips, orcs;

  static std::optional<Layout> of(const KernelBtf& btf) {
    const auto list = btf.offset("module", {"list"});
    const auto name = btf.offset("module", {"name"});
    // Since 6.4 an array of areas, of which the first (MOD_TEXT) is the code; since 4.5 one area;
    // before that plain fields.
    const auto code = btf.offset("module", {"mem", "core_layout.base", "module_core"});
    const auto bytes = code_size(btf);
    const auto kallsyms = btf.offset("module", {"kallsyms"});
    const auto symtab = btf.offset("mod_kallsyms", {"symtab"});
    const auto count = btf.offset("mod_kallsyms", {"num_symtab"});
    const auto strtab = btf.offset("mod_kallsyms", {"strtab"});
    if (!list || !name || !code || !bytes || !kallsyms || !symtab || !count || !strtab)
      return std::nullopt;
    const std::uint32_t base =
        btf.offset("module", {"mem"}) ? btf.offset("module_memory", {"base"}).value_or(0) : 0;
    return Layout{*list,
                  *name,
                  *code + base,
                  *bytes,
                  *kallsyms,
                  *symtab,
                  *count,
                  *strtab,
                  btf.offset("module", {"arch.num_orcs"}),
                  btf.offset("module", {"arch.orc_unwind_ip"}),
                  btf.offset("module", {"arch.orc_unwind"})};
  }

  static std::optional<std::uint32_t> code_size(const KernelBtf& btf) {
    if (const auto mem = btf.offset("module", {"mem"})) {
      const auto size = btf.offset("module_memory", {"size"});
      return size ? std::optional(*mem + *size) : std::nullopt;
    }
    return btf.offset("module", {"core_layout.text_size", "core_layout.size", "core_size"});
  }
};

class Reader {
 public:
  Reader(const KernelMemory& memory, const Layout& layout, SymbolBook& book)
      : memory_(memory), layout_(layout), book_(book) {}

  std::optional<LoadedModule> read(std::uint64_t module, std::vector<std::string>& missing) {
    LoadedModule out;
    std::array<char, kNameBytes> name{};
    if (!memory_.read(module + layout_.name, name.data(), name.size())) return std::nullopt;
    out.name.assign(name.data(), ::strnlen(name.data(), name.size()));
    const auto plain = [](char c) { return c > ' ' && c <= '~'; };
    if (out.name.empty() || !std::all_of(out.name.begin(), out.name.end(), plain))
      return std::nullopt;
    out.code = memory_.pointer(module + layout_.code);
    out.code_bytes = memory_.value<std::uint32_t>(module + layout_.code_bytes).value_or(0);
    if (out.code < kKernelHalf || out.code_bytes == 0 || out.code_bytes > kMostCode)
      return std::nullopt;
    if (!read_symbols(memory_.pointer(module + layout_.kallsyms), out))
      missing.push_back(fmt::format("module {}: its symbols are not in the dump", out.name));
    read_orc(module, out);
    return out;
  }

 private:
  bool read_symbols(std::uint64_t kallsyms, const LoadedModule& module) {
    if (!is_kernel_pointer(kallsyms)) return false;
    const std::uint64_t table = memory_.pointer(kallsyms + layout_.symtab);
    const std::uint64_t names = memory_.pointer(kallsyms + layout_.strtab);
    const auto count = memory_.value<std::uint32_t>(kallsyms + layout_.num_symtab);
    if (table < kKernelHalf || names < kKernelHalf || !count || *count == 0 ||
        *count > kMostSymbols)
      return false;
    std::vector<Elf64_Sym> symbols(*count);
    if (!memory_.read(table, symbols.data(), symbols.size() * sizeof(Elf64_Sym))) return false;
    for (const Elf64_Sym& symbol : symbols) {
      const bool inside =
          symbol.st_value >= module.code && symbol.st_value - module.code < module.code_bytes;
      if (inside && symbol.st_name != 0 && symbol.st_name < kMostNames)
        add(symbol, names + symbol.st_name, module.name);
    }
    return true;
  }

  void add(const Elf64_Sym& symbol, std::uint64_t at, const std::string& module) {
    std::array<char, kLongestName> name{};
    std::size_t length = 0;
    for (; length < name.size(); ++length) {
      const auto next = memory_.value<char>(at + length);
      if (!next || *next == '\0') break;
      name[length] = *next;
    }
    if (length == 0) return;
    book_.add_function(symbol.st_value, {name.data(), length}, module);
  }

  void read_orc(std::uint64_t module, LoadedModule& out) {
    if (!layout_.num_orcs || !layout_.orc_ips || !layout_.orcs) return;
    out.orc = {.ips = memory_.pointer(module + *layout_.orc_ips),
               .entries = memory_.pointer(module + *layout_.orcs),
               .count = memory_.value<std::uint32_t>(module + *layout_.num_orcs).value_or(0),
               .code_begin = out.code,
               .code_end = out.code + out.code_bytes};
  }

  const KernelMemory& memory_;
  const Layout& layout_;
  SymbolBook& book_;
};

}  // namespace

std::vector<LoadedModule> read_modules(const KernelMemory& memory, const KernelBtf& btf,
                                       SymbolBook& book, std::vector<std::string>& missing) {
  std::vector<LoadedModule> found;
  const std::uint64_t head = book.variable("modules");
  const auto layout = Layout::of(btf);
  if (head == 0 || !layout) {
    missing.emplace_back("modules are not listed: their fields or their list are not known");
    return found;
  }
  Reader reader(memory, *layout, book);
  std::uint64_t node = memory.pointer(head);
  for (std::size_t i = 0; i < kMostModules && node != head; ++i) {
    if (!is_kernel_pointer(node)) break;
    if (auto module = reader.read(node - layout->list, missing))
      found.push_back(std::move(*module));
    else
      missing.emplace_back("a module is damaged or only in part in the dump");
    const std::uint64_t next = memory.pointer(node);
    if (memory.pointer(next + 8) != node) break;
    node = next;
  }
  if (node != head) missing.emplace_back("the list of modules breaks off: some are missing");
  return found;
}

}  // namespace stallproof
