// SPDX-License-Identifier: Apache-2.0
// What workloads on files did in some span of time, by operation. Plain values.
#pragma once

#include <array>
#include <cstddef>

#include "workloads/files/file_operation.h"
#include "workloads/io/io_totals.h"

namespace stallproof {

struct FileTotals {
  std::array<OpTotals, kFileOperations> operations;
  OpTotals requested;  // those of them that the workloads are there for

  OpTotals& of(FileOperation operation) { return operations[static_cast<std::size_t>(operation)]; }
  [[nodiscard]] const OpTotals& of(FileOperation operation) const {
    return operations[static_cast<std::size_t>(operation)];
  }
  [[nodiscard]] OpTotals sum(const FileOperations& wanted) const {
    OpTotals all;
    for (std::size_t i = 0; i < kFileOperations; ++i)
      if (wanted.has(static_cast<FileOperation>(i))) all += operations[i];
    return all;
  }

  FileTotals& operator+=(const FileTotals& other) {
    for (std::size_t i = 0; i < kFileOperations; ++i) operations[i] += other.operations[i];
    requested += other.requested;
    return *this;
  }
};

}  // namespace stallproof
