// SPDX-License-Identifier: Apache-2.0
// VMCOREINFO: the lines a kernel leaves for those who read its dump
// (Documentation/admin-guide/kdump/vmcoreinfo.rst). Pure and total.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

class Vmcoreinfo {
 public:
  explicit Vmcoreinfo(std::string_view text);
  [[nodiscard]] std::string release() const;  // OSRELEASE, empty when unknown
  [[nodiscard]] std::optional<std::uint64_t> symbol(std::string_view name) const;
  [[nodiscard]] std::uint64_t kernel_offset() const;  // KERNELOFFSET, 0 without KASLR
  [[nodiscard]] bool empty() const { return lines_.empty(); }

 private:
  [[nodiscard]] std::optional<std::uint64_t> hex(const std::string& key) const;
  std::map<std::string, std::string, std::less<>> lines_;
};

}  // namespace stallproof
