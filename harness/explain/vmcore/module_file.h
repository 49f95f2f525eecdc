// SPDX-License-Identifier: Apache-2.0
// Functions of a module out of its .ko file: for dumps in which the module's own table is missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct ModuleFile {
  struct Function {
    std::uint64_t offset = 0;  // from the beginning of the module's code
    std::string_view name;     // points into what was parsed
  };
  std::uint64_t code_bytes = 0;  // without what is thrown away after loading
  std::string srcversion;        // of .modinfo; empty when it has none
  std::vector<Function> functions;
};

// Pure and total. Sections with code follow each other in the file's order, each aligned, those
// that begin with .init elsewhere (layout_sections in kernel/module, 4.5 to 6.18).
Result<ModuleFile> parse_module_file(std::string_view bytes);

// NAME.ko anywhere below a folder; NAME has underscores, the file may have dashes. Blocking. Empty
// when there is none; `packed` then names a compressed one, which is not read.
struct FoundModule {
  std::string path, packed;
};
FoundModule find_module_file(const std::string& folder, std::string_view name);

}  // namespace stallproof
