// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_list.h"

#include <elf.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "harness/base/file.h"
#include "harness/explain/vmcore/module_file.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostModules = 4096;
constexpr std::uint32_t kMostSymbols = 1U << 20U;
constexpr std::uint64_t kMostCode = 256U << 20U;
constexpr std::size_t kNameBytes = 56;  // MODULE_NAME_LEN
constexpr std::size_t kLongestName = 512;
constexpr std::size_t kMostNames = 32U << 20U;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kMostFileBytes = 512U << 20U;

struct Layout {
  std::uint32_t list, name, code, code_bytes, kallsyms;
  std::uint32_t symtab, num_symtab, strtab;
  std::optional<std::uint32_t> srcversion, num_orcs, orc_ips, orcs;

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
                  btf.offset("module", {"srcversion"}),
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
  Reader(const KernelMemory& memory, const Layout& layout, const std::string& folder,
         SymbolBook& book)
      : memory_(memory), layout_(layout), folder_(folder), book_(book) {}

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
      if (const auto read = read_file_of(module, out); !read)
        missing.push_back(fmt::format("module {}: its symbols are not in the dump{}", out.name,
                                      read.error().what));
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
    std::size_t inside = 0;
    std::size_t named = 0;
    bool all_there = true;
    for (const Elf64_Sym& symbol : symbols) {
      if (symbol.st_value < module.code || symbol.st_value - module.code >= module.code_bytes)
        continue;
      if (symbol.st_name == 0 || symbol.st_name >= kMostNames) continue;
      ++inside;
      auto name = text_at(names + symbol.st_name);
      all_there = all_there && name.has_value();
      // Without a name of its own its code would be taken for the function before it.
      if (!name) name = fmt::format("0x{:x}", symbol.st_value);
      if (name->empty()) continue;  // it has one, but its page was cleared
      ++named;
      book_.add_function(symbol.st_value, *name, module.name);
    }
    return all_there && named == inside;
  }

  [[nodiscard]] std::optional<std::string> text_at(std::uint64_t at) const {
    std::string text;
    while (text.size() < kLongestName) {
      const auto next = memory_.value<char>(at + text.size());
      if (!next) return std::nullopt;
      if (*next == '\0') break;
      text += *next;
    }
    return text;
  }

  // The Error goes on the sentence that says that the dump lacks them.
  Result<> read_file_of(std::uint64_t module, const LoadedModule& loaded) {
    if (folder_.empty()) return fail(" (give the folder of its .ko file by --modules)");
    const FoundModule found = find_module_file(folder_, loaded.name);
    if (found.path.empty())
      return fail(found.packed.empty()
                      ? fmt::format(", and no {}.ko below {}", loaded.name, folder_)
                      : ", and " + found.packed + " is compressed: unpack it");
    const auto bytes = read_file(found.path, kMostFileBytes);
    if (!bytes) return fail(", and " + bytes.error().what);
    const auto file = parse_module_file(*bytes);
    if (!file) return fail(fmt::format(", and {}: {}", found.path, file.error().what));
    if (!is_build_of(module, loaded, *file))
      return fail(fmt::format(", and {} is another build of it", found.path));
    for (const ModuleFile::Function& function : file->functions)
      book_.add_function(loaded.code + function.offset, function.name, loaded.name);
    return {};
  }

  [[nodiscard]] bool is_build_of(std::uint64_t module, const LoadedModule& loaded,
                                 const ModuleFile& file) const {
    const std::uint64_t pages = (file.code_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
    if (loaded.code_bytes != file.code_bytes && loaded.code_bytes != pages) return false;
    if (!layout_.srcversion) return true;
    const std::uint64_t own = memory_.pointer(module + *layout_.srcversion);
    const std::string version = own < kKernelHalf ? "" : text_at(own).value_or("");
    return version.empty() || file.srcversion.empty() || version == file.srcversion;
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
  const std::string& folder_;
  SymbolBook& book_;
};

}  // namespace

std::vector<LoadedModule> read_modules(const KernelMemory& memory, const KernelBtf& btf,
                                       const std::string& folder, SymbolBook& book,
                                       std::vector<std::string>& missing) {
  std::vector<LoadedModule> found;
  const std::uint64_t head = book.variable("modules");
  const auto layout = Layout::of(btf);
  if (head == 0 || !layout) {
    missing.emplace_back("modules are not listed: their fields or their list are not known");
    return found;
  }
  Reader reader(memory, *layout, folder, book);
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
