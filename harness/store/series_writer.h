// SPDX-License-Identifier: Apache-2.0
// A file of series/ that grows while the run goes on. What was appended is with the kernel after
// the next serve() and on the disk within ten seconds, so a killed run loses what was not yet
// served and a crashed machine the last ten seconds; lines are whole but perhaps the last one.
// Controller only; writes block as the disk of the run directory does. Memory is bounded: what a
// full disk refuses is kept up to a limit, then left out and said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// A name as one field of a CSV: no comma, quote or control character comes out of it.
std::string csv_word(std::string name);
// Free text: in quotes where it has to be, on one line.
std::string csv_text(std::string_view text);

class SeriesFile {
 public:
  // `run` outlives the file and remembers its failures. `name`: "series/loads.csv". The file is
  // made with the first row, `header` (a line) before it. One of that name is begun anew.
  SeriesFile(RunDir& run, std::string name, std::string header);
  SeriesFile(SeriesFile&&) = default;
  SeriesFile& operator=(SeriesFile&&) = default;
  ~SeriesFile() { serve(0); }

  // Whole lines.
  void append(std::string_view rows);
  // Every second or so: writes what waits; begins to bring it to the disk after five seconds, so
  // that little is left to wait for when it is synced after ten.
  void serve(Nanos now);
  // The same at the end of a run, and syncs.
  void close();

  [[nodiscard]] std::uint64_t rows_left_out() const { return rows_left_out_; }

 private:
  bool open();
  void bring_to_disk(Nanos now);
  void sync();

  RunDir* run_;
  std::string name_;
  std::string header_;
  std::string waiting_;
  Fd file_;
  bool tried_ = false;
  bool unsynced_ = false, on_its_way_ = false;
  Nanos unsynced_since_ns_ = 0;
  std::uint64_t rows_left_out_ = 0;
};

}  // namespace stallproof
