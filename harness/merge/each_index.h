// SPDX-License-Identifier: Apache-2.0
// The same work for many items by a few threads: what is read of many nodes waits for disks.
#pragma once

#include <cstddef>
#include <functional>

namespace stallproof {

// Calls work(i) for each i < count, each once, on at most eight threads with this one; returns when
// all are done. What it throws is thrown again here, once, after the others ended.
void for_each_index(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace stallproof
