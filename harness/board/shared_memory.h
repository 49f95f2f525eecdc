// SPDX-License-Identifier: Apache-2.0
// Anonymous shared memory that other processes inherit by descriptor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

// A memfd, sealed against shrinking and growing so that no reader can be made to fault; an unlinked
// file in /dev/shm where memfd_create is missing (before 3.17), which cannot be sealed.
Result<Fd> create_shared_memory(std::string_view name, std::size_t size);

// A text in shared memory, for a worker to inherit as its job; and read from there.
Result<Fd> share_text(const std::string& text);
Result<std::string> text_of_memory(int fd);

}  // namespace stallproof
