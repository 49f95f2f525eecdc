// SPDX-License-Identifier: Apache-2.0
// The ways to make a touched page fault again. One table: parameters, help and tests read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace stallproof {

class FaultMapping;

struct Retouch {
  std::string_view name;
  // Drops [offset, offset + size) of the file; bytes, whole pages. 0, or the errno. Any thread; may
  // wait for the file system. nullptr: the pages stay.
  int (*drop)(FaultMapping& mapping, std::uint64_t offset, std::uint64_t size);
  bool changes_file = false;    // the dropped pages are zeros from then on
  bool drops_all = false;       // not only the range, but all of the file but its first page
  bool forgets_private = true;  // what was written to a private mapping is gone
  bool works_locked = false;    // on mlocked memory too
  std::string_view hint;        // what to try when it fails
};

// The first is the default.
std::span<const Retouch> retouch_table();
const Retouch* find_retouch(std::string_view name);

}  // namespace stallproof
