// SPDX-License-Identifier: Apache-2.0
// What can be done to the files and folders of an anchor, by vdbench's names. Pure.
#pragma once

#include <bitset>
#include <cstddef>
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
using FileOperations = std::bitset<kFileOperations>;

std::optional<FileOperation> file_operation(const std::string& name);  // in any case
std::string name_of(FileOperation operation);
// As the board tells it.
Op op_of(FileOperation operation);

}  // namespace stallproof
