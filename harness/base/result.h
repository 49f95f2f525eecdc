// SPDX-License-Identifier: Apache-2.0
// Errors are values. An Error is one line a user can act on: what, on which object, why, what to
// try.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace stallproof {

// Whose fault it was decides the exit code (DESIGN: 2 the user can mend, 3 infrastructure, 77 no
// means).
enum class Origin { user, infra, lacking };

struct Error {
  std::string what;
  Origin origin = Origin::user;
};

// tl::expected is not nodiscard; dropping one of ours is an error at compile time.
template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Failure = tl::unexpected<Error>;

inline Failure fail(std::string what, Origin origin = Origin::user) {
  return Failure{Error{std::move(what), origin}};
}

// Read errno on the next line, never later: pass it in. Gives "WHAT: No such file or directory
// (TRY)".
inline Failure fail_errno(const std::string& what, int error_number,
                          const std::string& try_this = {}, Origin origin = Origin::user) {
  std::string text = what + ": " + std::strerror(error_number);
  if (!try_this.empty()) text += " (" + try_this + ")";
  return fail(std::move(text), origin);
}

}  // namespace stallproof
