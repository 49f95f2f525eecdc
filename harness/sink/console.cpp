// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stallproof {
namespace {

// A reader that does not read (Ctrl-S, a full pipe) may hold us up for so long and no longer.
constexpr Nanos kPatience = kSecond;
// What a pipe or terminal that polls writable takes without blocking.
constexpr std::size_t kChunk = 4096;

bool write_bounded(int fd, std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    pollfd item{fd, POLLOUT, 0};
    const int ready = ::poll(&item, 1, deadline.poll_ms());
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || (item.revents & POLLOUT) == 0) return false;
    const ssize_t n = ::write(fd, text.data(), std::min(text.size(), kChunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Console::Console(const Options& options)
    : options_(options), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Console::step(Nanos since_start, std::string_view text) {
  if (options_.quiet || options_.json) return;
  write_out(fmt::format("+{:8.3f} s  {}\n", static_cast<double>(since_start) / 1e9, text));
}

void Console::block(std::string_view text) {
  if (options_.quiet || options_.json) return;
  write_out(text);
}

void Console::result(std::string_view line) {
  if (options_.json) return;
  write_out(fmt::format("{}\n", line));
}

void Console::problem(std::string_view line) {
  clear_progress();
  write_error(fmt::format("stallproof: {}\n", line));
}

void Console::document(std::string_view json) {
  if (options_.json) write_out(json);
}

void Console::progress(std::string_view text) {
  if (!terminal_ || options_.quiet) return;
  write_error(fmt::format("\r\033[K{}", text));
  progress_shown_ = true;
}

void Console::clear_progress() {
  if (!progress_shown_) return;
  write_error("\r\033[K");
  progress_shown_ = false;
}

void Console::write_out(std::string_view text) {
  clear_progress();
  if (lost_output_) return;
  lost_output_ =
      !write_bounded(options_.aside ? STDERR_FILENO : STDOUT_FILENO, text, Deadline::in(kPatience));
}

void Console::write_error(std::string_view text) const {
  // Nobody is left to be told when even this fails.
  write_bounded(STDERR_FILENO, text, Deadline::in(100 * kMillisecond));
}

}  // namespace stallproof
