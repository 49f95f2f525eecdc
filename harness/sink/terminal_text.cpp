// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/terminal_text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>

namespace stallproof {
namespace {

constexpr unsigned kWidest = 500;

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    std::string lower(value);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

std::string_view start_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "\033[2m";
    case Tone::bold:
      return "\033[1m";
    case Tone::good:
      return "\033[32m";
    case Tone::warn:
      return "\033[33m";
    case Tone::bad:
      return "\033[1;31m";
  }
  return "";
}

}  // namespace

TerminalLook look_of_terminal(int fd) {
  TerminalLook look;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) look.width = std::min<unsigned>(size.ws_col, kWidest);
    if (size.ws_row > 0) look.height = size.ws_row;
  }
  look.colour = environment("NO_COLOR").empty() && can_redraw();
  look.utf8 = locale_is_utf8();
  return look;
}

bool can_redraw() {
  const std::string_view kind = environment("TERM");
  return !kind.empty() && kind != "dumb";
}

// The last column stays free: what is written there makes some terminals wrap.
unsigned LineWriter::room() const {
  const unsigned usable = look_.width > 1 ? look_.width - 1 : 0;
  return usable > line_.columns ? usable - line_.columns : 0;
}

void LineWriter::put(std::string_view bytes, unsigned columns, Tone tone) {
  if (columns == 0) return;
  const bool coloured = look_.colour && tone != Tone::plain;
  if (coloured) line_.text += start_of(tone);
  line_.text += bytes;
  if (coloured) line_.text += "\033[0m";
  line_.columns += columns;
}

LineWriter& LineWriter::add(std::string_view text, Tone tone) {
  std::string clean(text.substr(0, room()));
  for (char& letter : clean)
    if (letter < ' ' || letter > '~') letter = '?';
  put(clean, static_cast<unsigned>(clean.size()), tone);
  return *this;
}

LineWriter& LineWriter::add_glyphs(const std::vector<std::string_view>& glyphs, Tone tone) {
  const std::size_t shown = std::min<std::size_t>(glyphs.size(), room());
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += glyphs[i];
  put(text, static_cast<unsigned>(shown), tone);
  return *this;
}

LineWriter& LineWriter::cell(std::string_view text, unsigned columns, bool right, Tone tone) {
  const std::string_view shown = text.substr(0, columns);
  const std::string blank(columns - shown.size(), ' ');
  if (right) add(blank);
  add(shown, tone);
  if (!right) add(blank);
  return *this;
}

std::string redraw_text(const std::vector<TerminalLine>& before,
                        const std::vector<TerminalLine>& now, unsigned width) {
  const unsigned wide = std::max(1U, width);
  unsigned up = 0;
  for (const TerminalLine& line : before) up += std::max(1U, (line.columns + wide - 1) / wide);
  std::string text = "\r";
  if (up > 0) text += fmt::format("\033[{}A", up);
  for (const TerminalLine& line : now) text += line.text + "\033[K\r\n";
  return text + "\033[J";
}

}  // namespace stallproof
