// SPDX-License-Identifier: Apache-2.0
// Names of a dump: functions of the kernel and its modules, and where the kernel's own variables
// lie that this lens starts from.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/vmcoreinfo.h"
#include "harness/probe/kernel_symbols.h"

namespace stallproof {

class SymbolBook {
 public:
  SymbolBook() = default;
  SymbolBook(SymbolBook&&) = default;
  SymbolBook& operator=(SymbolBook&&) = default;

  // From the dump's own table; the Error says why there is none.
  static Result<SymbolBook> from_dump(const KernelMemory& memory, const Vmcoreinfo& info);
  // From a System.map of the same kernel, moved by KERNELOFFSET.
  static Result<SymbolBook> from_system_map(const std::string& path, const Vmcoreinfo& info);

  void add_function(std::uint64_t address, std::string_view name, std::string_view module);
  void add_variable(std::string_view name, std::uint64_t address);
  // 0 when it is unknown.
  [[nodiscard]] std::uint64_t variable(std::string_view name) const;
  // The functions so far, as one table. The names stay in this object.
  [[nodiscard]] KernelSymbols functions(const std::string& release) const;

 private:
  void note(std::uint64_t address, char type, std::string_view name);
  std::string_view keep(std::string_view name);

  std::deque<std::string> chunks_;  // of 64 KiB: what points into one stays right
  std::vector<KernelSymbols::Function> functions_;
  std::map<std::string, std::uint64_t, std::less<>> variables_;
};

}  // namespace stallproof
