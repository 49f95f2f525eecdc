// SPDX-License-Identifier: Apache-2.0
// Kernel addresses to function names, from one reading of /proc/kallsyms. Text symbols only, about
// 5 MiB for a distribution kernel. load() blocks and allocates: call it before load starts; find()
// does neither. Modules loaded later are unknown to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

class KernelSymbols {
 public:
  struct Symbol {
    std::string_view function;
    std::string_view module;  // empty: the core kernel
    std::uint64_t offset = 0;
  };

  // Error when kptr_restrict hides the addresses (they read as zeros) or nothing is listed.
  static Result<KernelSymbols> load(const std::string& path = "/proc/kallsyms");
  static Result<KernelSymbols> from_text(std::string_view text, std::string kernel_release = {});
  // Functions in any order; of several at one address the last one given counts.
  struct Function {
    std::uint64_t address = 0;
    std::string_view name;
    std::string_view module;
  };
  static KernelSymbols from_functions(std::vector<Function> functions, std::string kernel_release);

  // The function an address lies in. For a return address ask for address - 1: a call may be the
  // last instruction of its function. The result points into this object.
  [[nodiscard]] std::optional<Symbol> find(std::uint64_t address) const;

  [[nodiscard]] std::size_t size() const { return addresses_.size(); }
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] const std::string& kernel_release() const { return release_; }

 private:
  struct Name {
    std::uint32_t offset = 0;
    std::uint16_t length = 0;
    std::uint16_t module = 0;  // index into modules_
  };
  std::uint16_t module_index(std::string_view module);

  std::vector<std::uint64_t> addresses_;  // sorted, unique
  std::vector<Name> names_;               // of the address with the same index
  std::string text_;                      // all names, one after the other
  std::vector<std::string> modules_{std::string{}};
  std::string release_;
};

}  // namespace stallproof
