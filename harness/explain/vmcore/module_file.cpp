// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

namespace stallproof {
namespace {

constexpr std::size_t kMostFiles = 100'000;
constexpr std::uint64_t kMostCode = 256U << 20U;
constexpr std::uint64_t kMostAlignment = 1U << 21U;
constexpr std::uint64_t kNotPlaced = ~std::uint64_t{0};

// An ELF file whose every number is checked before it is used.
class Elf {
 public:
  static std::optional<Elf> open(std::string_view bytes) {
    Elf elf(bytes);
    const auto head = elf.at<Elf64_Ehdr>(0);
    if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_type != ET_REL ||
        head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != EM_X86_64 ||
        head->e_shentsize != sizeof(Elf64_Shdr))
      return std::nullopt;
    for (std::uint64_t i = 0; i < head->e_shnum; ++i) {
      const auto section = elf.at<Elf64_Shdr>(head->e_shoff + i * sizeof(Elf64_Shdr));
      if (!section) return std::nullopt;
      elf.sections_.push_back(*section);
    }
    if (head->e_shstrndx >= elf.sections_.size()) return std::nullopt;
    elf.names_ = elf.content(elf.sections_[head->e_shstrndx]);
    return elf;
  }

  [[nodiscard]] const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  [[nodiscard]] std::string_view name(const Elf64_Shdr& section) const {
    return text_at(names_, section.sh_name);
  }
  [[nodiscard]] std::string_view content(const Elf64_Shdr& section) const {
    if (section.sh_type == SHT_NOBITS || section.sh_offset > bytes_.size() ||
        section.sh_size > bytes_.size() - section.sh_offset)
      return {};
    return bytes_.substr(section.sh_offset, section.sh_size);
  }
  static std::string_view text_at(std::string_view table, std::size_t place) {
    if (place >= table.size()) return {};
    const std::size_t end = table.find('\0', place);
    return end == std::string_view::npos ? std::string_view{} : table.substr(place, end - place);
  }

 private:
  explicit Elf(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  [[nodiscard]] std::optional<T> at(std::uint64_t place) const {
    if (place > bytes_.size() || bytes_.size() - place < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + place, sizeof(T));
    return value;
  }

  std::string_view bytes_;
  std::string_view names_;
  std::vector<Elf64_Shdr> sections_;
};

// Of each section the place in the module's code, or kNotPlaced. nullopt when sizes make no sense.
std::optional<std::vector<std::uint64_t>> place_code(const Elf& elf, std::uint64_t& size) {
  constexpr std::uint64_t kCode = SHF_ALLOC | SHF_EXECINSTR;
  std::vector<std::uint64_t> places;
  for (const Elf64_Shdr& section : elf.sections()) {
    places.push_back(kNotPlaced);
    if ((section.sh_flags & kCode) != kCode || elf.name(section).starts_with(".init")) continue;
    const std::uint64_t align = std::max<std::uint64_t>(section.sh_addralign, 1);
    if (align > kMostAlignment || section.sh_size > kMostCode) return std::nullopt;
    places.back() = (size + align - 1) / align * align;
    size = places.back() + section.sh_size;
    if (size > kMostCode) return std::nullopt;
  }
  return places;
}

void read_functions(const Elf& elf, const Elf64_Shdr& table,
                    const std::vector<std::uint64_t>& places, ModuleFile& out) {
  if (table.sh_link >= elf.sections().size()) return;
  const std::string_view names = elf.content(elf.sections()[table.sh_link]);
  std::string_view entries = elf.content(table);
  for (; entries.size() >= sizeof(Elf64_Sym); entries.remove_prefix(sizeof(Elf64_Sym))) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, entries.data(), sizeof(symbol));
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_NOTYPE) || symbol.st_shndx >= places.size()) continue;
    const std::uint64_t place = places[symbol.st_shndx];
    const std::string_view name = Elf::text_at(names, symbol.st_name);
    if (place == kNotPlaced || name.empty() || symbol.st_value >= out.code_bytes) continue;
    out.functions.push_back({place + symbol.st_value, name});
  }
}

std::string srcversion_of(std::string_view modinfo) {
  constexpr std::string_view kKey = "srcversion=";
  while (!modinfo.empty()) {
    const std::size_t end = modinfo.find('\0');
    const std::string_view entry = modinfo.substr(0, end);
    if (entry.starts_with(kKey)) return std::string(entry.substr(kKey.size()));
    modinfo.remove_prefix(end == std::string_view::npos ? modinfo.size() : end + 1);
  }
  return {};
}

bool same_name(std::string_view file, std::string_view module) {
  return file.size() == module.size() &&
         std::equal(file.begin(), file.end(), module.begin(),
                    [](char a, char b) { return (a == '-' ? '_' : a) == b; });
}

}  // namespace

Result<ModuleFile> parse_module_file(std::string_view bytes) {
  const auto elf = Elf::open(bytes);
  if (!elf) return fail("no module of x86_64, or damaged");
  ModuleFile out;
  const auto places = place_code(*elf, out.code_bytes);
  if (!places) return fail("damaged: a section of no sensible size");
  for (const Elf64_Shdr& section : elf->sections()) {
    if (section.sh_type == SHT_SYMTAB) read_functions(*elf, section, *places, out);
    if (elf->name(section) == ".modinfo") out.srcversion = srcversion_of(elf->content(section));
  }
  if (out.functions.empty()) return fail("it names no function (stripped?)");
  return out;
}

FoundModule find_module_file(const std::string& folder, std::string_view name) {
  namespace fs = std::filesystem;
  FoundModule found;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (std::size_t i = 0; !error && i < kMostFiles && entry != fs::end(entry); ++i) {
    const std::string file = entry->path().filename().string();
    const std::size_t dot = file.find(".ko");
    if (dot != std::string::npos && same_name(std::string_view(file).substr(0, dot), name)) {
      if (file.size() == dot + 3) {
        found.path = entry->path().string();
        return found;
      }
      if (file[dot + 3] == '.') found.packed = entry->path().string();
    }
    entry.increment(error);
  }
  return found;
}

}  // namespace stallproof
