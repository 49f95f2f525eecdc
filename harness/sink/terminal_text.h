// SPDX-License-Identifier: Apache-2.0
// Lines for a terminal: what is visible of them and how it is coloured, cut to a width. Pure, but
// for the environment and size of the terminal that are asked for once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stallproof {

enum class Tone { plain, dim, bold, good, warn, bad };

struct TerminalLook {
  unsigned width = 80;
  unsigned height = 24;
  bool colour = false;
  bool utf8 = false;
};

// Of a terminal, as it is now; 80 x 24 where it does not say. NO_COLOR: no colour. The locale by
// the names in the environment, which every libc shares.
TerminalLook look_of_terminal(int fd);
// TERM says that it can move its cursor.
bool can_redraw();

// A line with the columns it takes.
struct TerminalLine {
  std::string text;
  unsigned columns = 0;
};

// Collects one line; what does not fit is cut. Bytes that are not printable ASCII show as '?': a
// process may have any name, and no name may move the cursor.
class LineWriter {
 public:
  explicit LineWriter(const TerminalLook& look) : look_(look) {}
  LineWriter& add(std::string_view text, Tone tone = Tone::plain);
  // Trusted: one column for each code point.
  LineWriter& add_glyphs(const std::vector<std::string_view>& glyphs, Tone tone = Tone::plain);
  // To `columns` wide, left or right aligned.
  LineWriter& cell(std::string_view text, unsigned columns, bool right, Tone tone = Tone::plain);
  [[nodiscard]] unsigned room() const;
  [[nodiscard]] TerminalLine take() { return std::move(line_); }

 private:
  void put(std::string_view bytes, unsigned columns, Tone tone);
  const TerminalLook& look_;
  TerminalLine line_;
};

// What turns a terminal that shows `before` at its end, cursor below, into one that shows `now`.
// `width`: of the terminal, which wraps what was drawn when it was wider.
std::string redraw_text(const std::vector<TerminalLine>& before,
                        const std::vector<TerminalLine>& now, unsigned width);

}  // namespace stallproof
