// SPDX-License-Identifier: Apache-2.0
// What can be done to the files and folders of an anchor, by vdbench's names. Pure.
#pragma once

#include <bitset>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>

#include "harness/board/board.h"

namespace stallproof {

enum class FileOperation {
  read,
  write,
  mkdir,
  rmdir,
  copy,
  move,
  create,
  erase,
  getattr,
  setattr,
  access,
  open,
  close
};
inline constexpr std::size_t kFileOperations = 13;

class FileOperations {
 public:
  FileOperations() = default;
  FileOperations(std::initializer_list<FileOperation> operations) {
    for (const FileOperation operation : operations) add(operation);
  }
  void add(FileOperation operation) { set_.set(static_cast<std::size_t>(operation)); }
  void add(const FileOperations& others) { set_ |= others.set_; }
  [[nodiscard]] bool has(FileOperation operation) const {
    return set_.test(static_cast<std::size_t>(operation));
  }
  // The one there is; none if there are more, or none.
  [[nodiscard]] std::optional<FileOperation> only() const;

 private:
  std::bitset<kFileOperations> set_;
};

std::optional<FileOperation> file_operation(const std::string& name);  // in any case
std::string name_of(FileOperation operation);
// As the board tells it.
Op op_of(FileOperation operation);

}  // namespace stallproof
