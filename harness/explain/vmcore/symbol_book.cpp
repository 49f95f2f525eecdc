// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/symbol_book.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/base/file.h"
#include "harness/explain/vmcore/kallsyms.h"

namespace stallproof {
namespace {

constexpr std::size_t kChunk = 64U << 10U;

// Where this lens starts from.
constexpr std::array<std::string_view, 18> kWanted{"__start_BTF",
                                                   "__stop_BTF",
                                                   "__start_orc_unwind",
                                                   "__stop_orc_unwind",
                                                   "__start_orc_unwind_ip",
                                                   "__stop_orc_unwind_ip",
                                                   "init_task",
                                                   "modules",
                                                   "btf_modules",
                                                   "_stext",
                                                   "_etext",
                                                   "_sinittext",
                                                   "_einittext",
                                                   "__per_cpu_offset",
                                                   "nr_cpu_ids",
                                                   "_totalram_pages",
                                                   "ret_from_fork",
                                                   "ret_from_fork_asm"};

bool is_wanted(std::string_view name) {
  return std::find(kWanted.begin(), kWanted.end(), name) != kWanted.end();
}

bool is_function(char type) { return type == 't' || type == 'T' || type == 'w' || type == 'W'; }

}  // namespace

std::string_view SymbolBook::keep(std::string_view name) {
  if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < name.size()) {
    chunks_.emplace_back();
    chunks_.back().reserve(std::max(kChunk, name.size()));
  }
  std::string& chunk = chunks_.back();
  chunk.append(name);
  return std::string_view(chunk).substr(chunk.size() - name.size());
}

void SymbolBook::add_function(std::uint64_t address, std::string_view name,
                              std::string_view module) {
  functions_.push_back({address, keep(name), module.empty() ? module : keep(module)});
}

void SymbolBook::add_variable(std::string_view name, std::uint64_t address) {
  variables_.emplace(name, address);
}

void SymbolBook::note(std::uint64_t address, char type, std::string_view name) {
  if (is_wanted(name)) add_variable(name, address);
  if (is_function(type) && address >= kKernelHalf) add_function(address, name, {});
}

Result<SymbolBook> SymbolBook::from_dump(const KernelMemory& memory, const Vmcoreinfo& info) {
  const auto places = KallsymsPlaces::of(info);
  if (!places)
    return fail("VMCOREINFO does not say where the kernel's symbol table lies (older than 6.0)");
  SymbolBook book;
  const auto read = read_kallsyms(
      memory, *places,
      [&book](std::uint64_t at, char type, std::string_view name) { book.note(at, type, name); });
  if (!read) return Failure(read.error());
  return book;
}

Result<SymbolBook> SymbolBook::from_system_map(const std::string& path, const Vmcoreinfo& info) {
  const auto text = read_file(path);
  if (!text) return Failure(text.error());
  SymbolBook book;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    std::uint64_t address = 0;
    const auto number = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const auto used = static_cast<std::size_t>(number.ptr - line.data());
    if (number.ec != std::errc{} || used + 4 > line.size()) continue;
    if (address < kKernelHalf) continue;
    book.note(address + info.kernel_offset(), line[used + 1], line.substr(used + 3));
  }
  const std::uint64_t stext = book.variable("_stext");
  if (stext == 0) return fail(path + ": no System.map (no _stext in it)");
  if (info.symbol("_stext") && *info.symbol("_stext") != stext)
    return fail(path + ": of another kernel than the dump (_stext differs)");
  return book;
}

std::uint64_t SymbolBook::variable(std::string_view name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? 0 : found->second;
}

KernelSymbols SymbolBook::functions(const std::string& release) const {
  return KernelSymbols::from_functions(functions_, release);
}

}  // namespace stallproof
