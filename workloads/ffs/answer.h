// SPDX-License-Identifier: Apache-2.0
// What a file system says to a client: a value, or the errno that its system call fails with.
#pragma once

#include <tl/expected.hpp>

namespace stallproof {

template <class T = void>
using Answer = tl::expected<T, int>;

inline tl::unexpected<int> deny(int error_number) { return tl::unexpected<int>(error_number); }

}  // namespace stallproof
