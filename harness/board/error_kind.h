// SPDX-License-Identifier: Apache-2.0
// Why operations fail, in a few kinds: an errno is too fine for a figure, "failed" too coarse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stallproof {

enum class ErrorKind : std::uint8_t {
  other,
  io,          // EIO, ENXIO, EREMOTEIO, …: the device or the server says no
  space,       // ENOSPC, EDQUOT, EFBIG
  missing,     // ENOENT, ESTALE, ENOTDIR, …
  permission,  // EACCES, EPERM, EROFS
  timeout,     // ETIMEDOUT, ETIME
  connection,  // ENOTCONN, ECONNABORTED, EPIPE, …: nobody serves it any more
  memory,      // ENOMEM, ENOBUFS, EMFILE, ENFILE
  busy,        // EBUSY, EAGAIN, EINTR, EEXIST, …: somebody else was first
  transfer,    // moved fewer bytes than asked, or none of them changed
  sigbus       // a page fault that the file system answered with an error
};
inline constexpr std::size_t kErrorKinds = static_cast<std::size_t>(ErrorKind::sigbus) + 1;

// Of an errno. 0, and numbers of our own that are no errno: `transfer`.
ErrorKind kind_of_error(int error);
// As metrics call it.
std::string_view error_kind_name(ErrorKind kind);

}  // namespace stallproof
