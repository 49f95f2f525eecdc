// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcoreinfo.h"

#include <algorithm>
#include <charconv>

namespace stallproof {

Vmcoreinfo::Vmcoreinfo(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    lines_.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
}

std::string Vmcoreinfo::release() const {
  const auto found = lines_.find("OSRELEASE");
  if (found == lines_.end() || found->second.size() > 64) return {};
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  if (std::any_of(found->second.begin(), found->second.end(), odd)) return {};
  return found->second;
}

std::optional<std::uint64_t> Vmcoreinfo::symbol(std::string_view name) const {
  return hex("SYMBOL(" + std::string(name) + ")");
}

std::uint64_t Vmcoreinfo::kernel_offset() const { return hex("KERNELOFFSET").value_or(0); }

std::optional<std::uint64_t> Vmcoreinfo::hex(const std::string& key) const {
  const auto found = lines_.find(key);
  if (found == lines_.end()) return std::nullopt;
  std::string_view digits = found->second;
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace stallproof
