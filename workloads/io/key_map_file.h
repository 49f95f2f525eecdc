// SPDX-License-Identifier: Apache-2.0
// A key map between two executions: `<sd>.map`, a format of our own with a checksum. Controller,
// before the first run and after the last; blocks on the file system. A map is true of the moment
// in which it was saved: whoever loads one removes the file before anything is written, and an
// execution that was killed leaves none. (vdbench's journal, which outlives that, is not made.)
#pragma once

#include <string>

#include "workloads/io/key_map.h"

namespace stallproof {

// Replaces the file or leaves it as it was. No I/O is under way.
Result<> save_key_map(KeyMaps& maps, std::size_t index, const std::string& sd_name,
                      const std::string& path);
// Refuses what is damaged, or of another SD, size, key block or pattern, and leaves the map empty.
Result<> load_key_map(KeyMaps& maps, std::size_t index, const std::string& sd_name,
                      const std::string& path);

}  // namespace stallproof
