// SPDX-License-Identifier: Apache-2.0
#include "harness/board/error_kind.h"

#include <array>
#include <cerrno>

namespace stallproof {
namespace {

// The largest errno of x86-64 is EHWPOISON.
constexpr int kLastErrno = EHWPOISON;

// In the order of ErrorKind.
constexpr std::array<std::string_view, kErrorKinds> kNames{
    "other",      "io",     "space", "missing",  "permission", "timeout",
    "connection", "memory", "busy",  "transfer", "sigbus"};

ErrorKind kind_of_trouble(int error) {
  switch (error) {
    case EIO:
    case ENXIO:
    case ENODEV:
    case EREMOTEIO:
    case ENOMEDIUM:
    case EILSEQ:
    case EUCLEAN:
    case EBADMSG:
    case EHWPOISON:
      return ErrorKind::io;
    case ETIMEDOUT:
    case ETIME:
      return ErrorKind::timeout;
    case ENOTCONN:
    case ECONNABORTED:
    case ECONNRESET:
    case ECONNREFUSED:
    case ESHUTDOWN:
    case EPIPE:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
      return ErrorKind::connection;
    default:
      return ErrorKind::other;
  }
}

}  // namespace

ErrorKind kind_of_error(int error) {
  if (error <= 0 || error > kLastErrno) return ErrorKind::transfer;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorKind::space;
    case ENOENT:
    case ESTALE:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return ErrorKind::missing;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::permission;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
      return ErrorKind::memory;
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case EEXIST:
    case ENOTEMPTY:
    case ETXTBSY:
    case EDEADLK:
      return ErrorKind::busy;
    default:
      return kind_of_trouble(error);
  }
}

std::string_view error_kind_name(ErrorKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < kNames.size() ? kNames[number] : "other";
}

}  // namespace stallproof
