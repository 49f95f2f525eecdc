// SPDX-License-Identifier: Apache-2.0
// The first page of a file that loads work on, or of a part of it: it says that what follows is
// ours, and whether all of that is still pattern. Blocking; offsets and sizes in bytes.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/content/file_share.h"
#include "workloads/content/stamp.h"

namespace stallproof {

// "direct-io: WHAT PATH", at the beginning of an error.
struct LabelledFile {
  std::string load, path;
  [[nodiscard]] std::string place(const char* what) const;
};

// Of generation 0, which is pattern, while all that follows is. `blank`: a page of zeros, which is
// what a hole reads as.
enum class Label : Generation { pristine, changed, filling, foreign, blank };

// Nothing there at all is `filling`: it is to be filled.
Result<Label> read_label(const LabelledFile& named, const Fd& file, std::uint64_t at);
Result<> write_label(const LabelledFile& named, const Fd& file, std::uint64_t at, Label label);

// Pattern from `from` on, which is within the range: the label says so before anything is changed,
// and `done` at the end. Then fsync, so that no writeback of it is left for the run.
Result<> fill_range(const LabelledFile& named, const Fd& file, const FileRange& range,
                    std::uint64_t from, Label done);

}  // namespace stallproof
