// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kernel_symbols.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>

#include "harness/base/file.h"

namespace stallproof {
namespace {

// No kernel function is longer; beyond the last symbol of a region an address belongs to nobody.
constexpr std::uint64_t kLongestFunction = 1U << 20U;

using Line = KernelSymbols::Function;

bool is_text(char type) { return type == 't' || type == 'T' || type == 'w' || type == 'W'; }

// "ffffffff81000000 T name" or "ffffffffc0000000 t name\t[module]".
std::optional<Line> parse_line(std::string_view line) {
  Line parsed;
  const char* end = line.data() + line.size();
  const auto number = std::from_chars(line.data(), end, parsed.address, 16);
  if (number.ec != std::errc{} || end - number.ptr < 4) return std::nullopt;
  if (!is_text(number.ptr[1])) return std::nullopt;
  std::string_view rest(number.ptr + 3, static_cast<std::size_t>(end - number.ptr - 3));
  const std::size_t tab = rest.find('\t');
  parsed.name = rest.substr(0, tab);
  if (tab != std::string_view::npos) {
    const std::size_t open = rest.find('[', tab);
    const std::size_t close = rest.find(']', tab);
    if (open != std::string_view::npos && close != std::string_view::npos && open < close)
      parsed.module = rest.substr(open + 1, close - open - 1);
  }
  return parsed;
}

Result<std::vector<Line>> parse(std::string_view text) {
  std::vector<Line> lines;
  std::size_t listed = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::optional<Line> line = parse_line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line) continue;
    ++listed;
    if (line->address != 0) lines.push_back(*line);
  }
  if (!lines.empty()) return lines;
  if (listed == 0)
    return fail("kernel symbols: no function listed (is CONFIG_KALLSYMS on?)", Origin::lacking);
  return fail(
      "kernel symbols: every address reads as zero (run as root, with kernel.kptr_restrict 0 or 1)",
      Origin::lacking);
}

// The last alias of an address is the function itself more often than the section mark before it.
void keep_one_name_each(std::vector<Line>& lines) {
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.address < b.address; });
  const auto same = [](const Line& a, const Line& b) { return a.address == b.address; };
  lines.erase(lines.begin(), std::unique(lines.rbegin(), lines.rend(), same).base());
}

}  // namespace

Result<KernelSymbols> KernelSymbols::from_text(std::string_view text, std::string kernel_release) {
  Result<std::vector<Line>> parsed = parse(text);
  if (!parsed) return fail(parsed.error().what, parsed.error().origin);
  return from_functions(std::move(*parsed), std::move(kernel_release));
}

KernelSymbols KernelSymbols::from_functions(std::vector<Function> lines,
                                            std::string kernel_release) {
  keep_one_name_each(lines);

  KernelSymbols symbols;
  symbols.release_ = std::move(kernel_release);
  symbols.addresses_.reserve(lines.size());
  symbols.names_.reserve(lines.size());
  std::size_t name_bytes = 0;
  for (const Line& line : lines) name_bytes += line.name.size();
  symbols.text_.reserve(name_bytes);
  for (const Line& line : lines) {
    Name name;
    name.offset = static_cast<std::uint32_t>(symbols.text_.size());
    name.length = static_cast<std::uint16_t>(line.name.size());
    name.module = symbols.module_index(line.module);
    symbols.text_.append(line.name);
    symbols.addresses_.push_back(line.address);
    symbols.names_.push_back(name);
  }
  return symbols;
}

std::uint16_t KernelSymbols::module_index(std::string_view module) {
  auto known = std::find(modules_.begin(), modules_.end(), module);
  if (known == modules_.end()) known = modules_.emplace(modules_.end(), module);
  return static_cast<std::uint16_t>(known - modules_.begin());
}

Result<KernelSymbols> KernelSymbols::load(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return fail(text.error().what, Origin::lacking);
  utsname name{};
  ::uname(&name);
  Result<KernelSymbols> symbols = from_text(*text, name.release);
  if (!symbols) return fail(path + ": " + symbols.error().what, symbols.error().origin);
  return symbols;
}

std::optional<KernelSymbols::Symbol> KernelSymbols::find(std::uint64_t address) const {
  const auto after = std::upper_bound(addresses_.begin(), addresses_.end(), address);
  if (after == addresses_.begin()) return std::nullopt;
  const auto index = static_cast<std::size_t>(after - addresses_.begin()) - 1;
  const std::uint64_t offset = address - addresses_[index];
  if (offset >= kLongestFunction) return std::nullopt;
  const Name& name = names_[index];
  return Symbol{std::string_view(text_).substr(name.offset, name.length), modules_[name.module],
                offset};
}

std::size_t KernelSymbols::bytes() const {
  return addresses_.capacity() * sizeof(std::uint64_t) + names_.capacity() * sizeof(Name) +
         text_.capacity();
}

}  // namespace stallproof
