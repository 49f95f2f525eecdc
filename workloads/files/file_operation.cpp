// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_operation.h"

#include <strings.h>

#include <array>

namespace stallproof {
namespace {

struct Entry {
  const char* name;
  Op op;
};
// In the order of FileOperation.
constexpr std::array<Entry, kFileOperations> kEntries = {{{"read", Op::read},
                                                          {"write", Op::write},
                                                          {"mkdir", Op::mkdir},
                                                          {"rmdir", Op::rmdir},
                                                          {"copy", Op::copy},
                                                          {"move", Op::move},
                                                          {"create", Op::create},
                                                          {"delete", Op::remove},
                                                          {"getattr", Op::getattr},
                                                          {"setattr", Op::setattr},
                                                          {"access", Op::access},
                                                          {"open", Op::open},
                                                          {"close", Op::close}}};

const Entry& entry_of(FileOperation operation) {
  return kEntries[static_cast<std::size_t>(operation)];
}

}  // namespace

std::optional<FileOperation> file_operation(const std::string& name) {
  for (std::size_t i = 0; i < kEntries.size(); ++i)
    if (::strcasecmp(kEntries[i].name, name.c_str()) == 0) return static_cast<FileOperation>(i);
  return std::nullopt;
}

std::string name_of(FileOperation operation) { return entry_of(operation).name; }

Op op_of(FileOperation operation) { return entry_of(operation).op; }

std::optional<FileOperation> FileOperations::only() const {
  if (set_.count() != 1) return std::nullopt;
  for (std::size_t i = 0; i < kFileOperations; ++i)
    if (set_.test(i)) return static_cast<FileOperation>(i);
  return std::nullopt;
}

}  // namespace stallproof
