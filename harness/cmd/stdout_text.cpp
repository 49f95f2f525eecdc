// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/stdout_text.h"

#include <cstdio>

namespace stallproof {

Result<> write_stdout(std::string_view text) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return {};
  return fail_errno("write the result to standard output", errno,
                    "is the disk full or the reader gone?", Origin::infra);
}

void say_on_stderr(std::string_view text) noexcept {
  std::fputs("stallproof: ", stderr);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

}  // namespace stallproof
