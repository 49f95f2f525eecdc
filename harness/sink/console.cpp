// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/one_line.h"

namespace stallproof {
namespace {

// A reader that does not read (Ctrl-S, a full pipe) may hold us up for so long and no longer.
constexpr Nanos kPatience = kSecond;
constexpr Nanos kErrorPatience = 100 * kMillisecond;
// Whoever reads our stdout may write to the same terminal (| tee): he is given time for it before
// something is drawn below.
constexpr Nanos kReaderWrites = 400 * kMillisecond;
// What a pipe that polls writable takes without blocking.
constexpr std::size_t kChunk = 4096;

bool write_bounded(int fd, std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    pollfd item{fd, POLLOUT, 0};
    const int ready = ::poll(&item, 1, deadline.poll_ms());
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || (item.revents & POLLOUT) == 0) return false;
    const ssize_t n = ::write(fd, text.data(), std::min(text.size(), kChunk));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {  // a terminal with room for less than a line's end
      if (deadline.passed()) return false;
      ::poll(nullptr, 0, 1);
      continue;
    }
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A terminal that polls writable may have room for one byte and block on the next: a description of
// our own does not block, and leaves those as they are that others share.
Fd without_blocking(int fd) {
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  return Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool goes_to_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

// Indented JSON as one line: within strings there are no line ends.
std::string without_line_ends(std::string_view json) {
  std::string line;
  bool line_begins = false;
  for (const char letter : json) {
    if (letter == '\n') line_begins = true;
    if (letter == '\n' || (line_begins && letter == ' ')) continue;
    line_begins = false;
    line += letter;
  }
  return line;
}

}  // namespace

Console::Console(const Options& options)
    : options_(options),
      out_terminal_(::isatty(STDOUT_FILENO) == 1),
      error_terminal_(::isatty(STDERR_FILENO) == 1) {
  if (out_terminal_) out_ = without_blocking(STDOUT_FILENO);
  if (error_terminal_) error_ = without_blocking(STDERR_FILENO);
  drawable_ = error_.valid() && can_redraw() && !options_.quiet && !options_.undrawn &&
              (!options_.json_lines || goes_to_file(STDOUT_FILENO));
}

Console::~Console() { clear_drawn(); }

int Console::error_fd() const { return error_.valid() ? error_.get() : STDERR_FILENO; }

void Console::step(Nanos since_start, std::string_view text) {
  if (options_.quiet || has_document()) return;
  write_out(fmt::format("+{:8.3f} s  {}\n", static_cast<double>(since_start) / 1e9, text));
}

void Console::block(std::string_view text) {
  if (options_.quiet || has_document()) return;
  write_out(text);
}

void Console::result(std::string_view line) {
  if (has_document()) return;
  write_out(fmt::format("{}\n", options_.aside ? on_one_line(std::string(line)) : line));
}

void Console::problem(std::string_view line) {
  clear_drawn();
  write_error(fmt::format("stallproof: {}\n", on_one_line(std::string(line))));
  draw_again();
}

void Console::document(std::string_view json) {
  if (options_.json) write_out(json);
  if (!options_.json_lines || !json.starts_with('{')) return;
  json_line(R"({"event":"verdict",)" + without_line_ends(json.substr(1)));
}

void Console::json_line(std::string_view object) {
  if (options_.json_lines) write_out(fmt::format("{}\n", object));
}

void Console::progress(std::string_view line, std::string_view phase) {
  pass(phase);
  if (!drawable_ || view_) return;
  LineWriter shown(look());
  draw({shown.add(line).take()});
}

void Console::pass(std::string_view phase) {
  const Nanos now = monotonic_now();
  for (PassListener* const listener : listeners_) listener->on_pass(now, phase);
}

TerminalLook Console::look() const { return look_of_terminal(error_fd()); }

void Console::draw(std::vector<TerminalLine> lines) {
  if (!drawable_) return;
  wanted_ = std::move(lines);
  if (wanted_.empty()) return clear_drawn();
  if (monotonic_now() < draw_after_ns_ || !finish_drawing()) return;
  undrawn_ = redraw_text(drawn_, wanted_, look().width);
  drawn_ = wanted_;
  finish_drawing();
}

bool Console::finish_drawing() {
  while (!undrawn_.empty()) {
    const ssize_t n = ::write(error_.get(), undrawn_.data(), undrawn_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    undrawn_.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

void Console::clear_drawn() {
  if (drawn_.empty() && undrawn_.empty()) return;
  const std::string text = undrawn_ + redraw_text(drawn_, {}, look().width);
  undrawn_.clear();
  drawn_.clear();
  write_error(text);
}

void Console::draw_again() {
  if (!wanted_.empty()) draw(wanted_);
}

void Console::write_out(std::string_view text) {
  clear_drawn();
  if (lost_output_) return;
  const int plain = out_.valid() ? out_.get() : STDOUT_FILENO;
  lost_output_ = !write_bounded(options_.aside ? error_fd() : plain, text, Deadline::in(kPatience));
  if (out_terminal_ || options_.aside) return draw_again();
  draw_after_ns_ = monotonic_now() + kReaderWrites;
}

void Console::write_error(std::string_view text) const {
  // Nobody is left to be told when even this fails.
  write_bounded(error_fd(), text, Deadline::in(kErrorPatience));
}

}  // namespace stallproof
