// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees: results on stdout, progress on stderr and only where that is a
// terminal. Controller only. Never throws and never waits more than a second for a reader: while a
// deadlock stands, a stopped pager must not keep it standing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/sink/terminal_text.h"

namespace stallproof {

// Called with every pass of a run's loop, ten times a second or so. `phase`: what the run does, as
// far as it says.
class PassListener {
 public:
  PassListener() = default;
  PassListener(const PassListener&) = delete;
  PassListener& operator=(const PassListener&) = delete;
  virtual ~PassListener() = default;
  virtual void on_pass(Nanos now, std::string_view phase) = 0;
};

class Console {
 public:
  struct Options {
    bool quiet = false;       // only results and errors
    bool undrawn = false;     // no progress on stderr; stdout as ever
    bool aside = false;       // stdout is somebody else's: everything goes to stderr
    bool json = false;        // stdout carries one JSON document and nothing else
    bool json_lines = false;  // stdout carries JSON objects, one a line, and nothing else
  };
  explicit Console(const Options& options);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  // Takes away what is drawn.
  ~Console();

  // A step of the run with its time, e.g. "+ 2.210 s  armed". Nothing when quiet or JSON.
  void step(Nanos since_start, std::string_view text);
  // A block of text as it is. Nothing when quiet or JSON.
  void block(std::string_view text);
  // The result in one line; kept when quiet. On stderr (`aside`) without control characters.
  void result(std::string_view line);
  // One line on stderr, always, and one line whatever names are in it.
  void problem(std::string_view line);
  // The JSON document, when asked for; with JSON lines as the last of them.
  void document(std::string_view json);
  // One object, when JSON lines are asked for.
  void json_line(std::string_view object);

  // A pass of the run's loop. `line` is rewritten on a terminal's stderr where nothing else is
  // drawn there; `phase` is for those who listen.
  void progress(std::string_view line, std::string_view phase = {});
  void pass(std::string_view phase);
  // Must outlive the last pass. `draws`: no other line of progress is drawn then.
  void add(PassListener& listener, bool draws = false) {
    listeners_.push_back(&listener);
    view_ |= draws;
  }

  // Whether lines may be drawn in place: stderr is a terminal that can do it, and nobody asked for
  // quiet. A terminal that does not take them is not waited for.
  [[nodiscard]] bool can_draw() const { return drawable_; }
  // The same of stdout: what is drawn would stand between other rows there.
  [[nodiscard]] bool stdout_is_terminal() const { return out_terminal_; }
  [[nodiscard]] TerminalLook look() const;
  // Replaces what is drawn; none: takes it away.
  void draw(std::vector<TerminalLine> lines);

  // The JSON document is asked for: stdout is to carry nothing else.
  [[nodiscard]] bool has_document() const { return options_.json || options_.json_lines; }
  // True once stdout did not take what was written: the reader has gone or does not read.
  [[nodiscard]] bool lost_output() const { return lost_output_; }

 private:
  void write_out(std::string_view text);
  void write_error(std::string_view text) const;
  [[nodiscard]] int error_fd() const;
  void clear_drawn();
  void draw_again();
  // What a terminal that was stopped has not yet taken of the last drawing.
  bool finish_drawing();

  Options options_;
  bool out_terminal_ = false, error_terminal_ = false, drawable_ = false;
  Fd out_, error_;  // descriptions of our own that do not block; invalid: none could be had
  std::vector<PassListener*> listeners_;
  std::vector<TerminalLine> drawn_, wanted_;
  std::string undrawn_;
  Nanos draw_after_ns_ = 0;
  bool view_ = false;
  bool lost_output_ = false;
};

}  // namespace stallproof
