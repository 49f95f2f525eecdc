// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees: results on stdout, progress on stderr and only where that is a
// terminal. Controller only. Never throws and never waits more than a second for a reader: while a
// deadlock stands, a stopped pager must not keep it standing.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/clock.h"

namespace stallproof {

class Console {
 public:
  struct Options {
    bool quiet = false;  // only results and errors
    bool aside = false;  // stdout is somebody else's: everything goes to stderr
    bool json = false;   // stdout carries one JSON document and nothing else
  };
  explicit Console(const Options& options);

  // A step of the run with its time, e.g. "+ 2.210 s  armed". Nothing when quiet or JSON.
  void step(Nanos since_start, std::string_view text);
  // A block of text as it is. Nothing when quiet or JSON.
  void block(std::string_view text);
  // The result in one line; kept when quiet.
  void result(std::string_view line);
  // One line on stderr, always.
  void problem(std::string_view line);
  // The JSON document, when asked for.
  void document(std::string_view json);
  // Rewrites one line on a terminal's stderr; nothing elsewhere.
  void progress(std::string_view text);

  // The JSON document is asked for: stdout is to carry nothing else.
  [[nodiscard]] bool has_document() const { return options_.json; }
  // True once stdout did not take what was written: the reader has gone or does not read.
  [[nodiscard]] bool lost_output() const { return lost_output_; }

 private:
  void write_out(std::string_view text);
  void write_error(std::string_view text) const;
  void clear_progress();
  Options options_;
  bool terminal_ = false;
  bool progress_shown_ = false;
  bool lost_output_ = false;
};

}  // namespace stallproof
