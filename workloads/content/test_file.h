// SPDX-License-Identifier: Apache-2.0
// The file a load works on: made and filled where it is missing, never taken where it is not ours,
// and shared with other loads for reading only.
//
// The rule: a load that only reads holds a shared flock(2) of its file, a load that changes it an
// exclusive one, both as long as the descriptor lives, over all processes. The first page is a
// label: it says that the file is ours, else nothing is written to it, and whether all of it is
// still pattern. No load changes it.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/content/file_share.h"

namespace stallproof {

struct TestFileSpec {
  std::string load;  // for messages: "mapped-fault"
  std::string path;
  std::uint64_t size = 0;  // bytes, at least; 0: the file must exist and is taken as it is
  bool changes = false;    // the load writes to the file, or makes holes in it
  FileShare share = {};    // other than the default: see shared_file.h
};

struct TestFile {
  Fd fd;                    // open for writing when the load changes the file; holds the lock
  std::uint64_t begin = 0;  // bytes: where what is to be worked on begins; its label is there
  std::uint64_t size = 0;   // bytes to work on: spec.size, or all of it, or its part

  [[nodiscard]] std::uint64_t end() const { return begin + size; }
};

// Main thread, before the load starts. Blocks on the file system, and 10 s and more, by the
// size, for a lock whose holder is filling the file. A load that changes the file finds pattern
// behind the first page. The file stays when the load ends; one that could not be filled is removed
// if it was made here and is not shared.
Result<TestFile> open_test_file(const TestFileSpec& spec);

}  // namespace stallproof
