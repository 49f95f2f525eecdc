// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/stdout_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <string>

#include "harness/base/one_line.h"
#include "harness/base/result_file.h"

namespace stallproof {
namespace {

bool remarks_are_left_out = false;

}  // namespace

// A reader that is slower than we are shall find much at once: fewer turns for both.
void widen_pipe(std::size_t letters) {
  constexpr std::size_t kUsual = 64U << 10U;
  constexpr int kWide = 1 << 20;  // what anybody may have (/proc/sys/fs/pipe-max-size)
  if (letters > kUsual) ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, kWide);
}

Result<> write_stdout(std::string_view text) {
  widen_pipe(text.size());
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return {};
  return fail_errno("write the result to standard output", errno,
                    "is the disk full or the reader gone?", Origin::infra);
}

Result<> write_result(std::string_view text, const std::string& out) {
  return out.empty() ? write_stdout(text) : replace_file(out, text);
}

void say_on_stderr(std::string_view text) noexcept {
  try {
    const std::string line = "stallproof: " + on_one_line(std::string(text)) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
  } catch (const std::bad_alloc&) {
    std::fputs("stallproof: out of memory\n", stderr);
  }
}

void remark_on_stderr(std::string_view text) noexcept {
  if (!remarks_are_left_out) say_on_stderr(text);
}

void leave_out_remarks(bool quiet) noexcept { remarks_are_left_out = quiet; }

}  // namespace stallproof
