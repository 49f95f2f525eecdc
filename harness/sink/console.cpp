// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace stallproof {
namespace {

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

Console::Console(const Options& options)
    : options_(options), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Console::step(Nanos since_start, std::string_view text) {
  if (options_.quiet || options_.json) return;
  clear_progress();
  write_out(fmt::format("+{:8.3f} s  {}\n", static_cast<double>(since_start) / 1e9, text));
}

void Console::block(std::string_view text) {
  if (options_.quiet || options_.json) return;
  clear_progress();
  write_out(text);
}

void Console::result(std::string_view line) {
  if (options_.json) return;
  clear_progress();
  write_out(fmt::format("{}\n", line));
}

void Console::problem(std::string_view line) {
  clear_progress();
  fmt::print(stderr, "stallproof: {}\n", line);
}

void Console::document(std::string_view json) {
  if (!options_.json) return;
  clear_progress();
  write_out(json);
}

void Console::progress(std::string_view text) {
  if (!terminal_ || options_.quiet) return;
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  progress_shown_ = true;
}

void Console::clear_progress() {
  if (!progress_shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  progress_shown_ = false;
}

}  // namespace stallproof
