// SPDX-License-Identifier: Apache-2.0
// The files and lines that vdbench's users and their parsers read: summary, totals, flatfile,
// status, errorlog, logfile, histogram, parmfile, one file for each SD and WD, all as .html, and
// the rows on stdout. Flushed line by line: they are followed while they are written. Controller.
// Our own figures go to other files (series/), never into these.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/sink/console.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {

// What a run is called.
struct RunHeading {
  std::string name;
  std::string text;  // behind "Starting ": RD=…
  bool format = false;
};

// The texts of one interval, or of a run's totals; each line ends in a newline.
struct RowTexts {
  // One row for the page of an SD, WD, FSD or FWD.
  struct Named {
    std::string name, line;
  };
  std::string header;  // column names, told every so many rows
  std::string line;    // more than one for some totals: only the first is kept in totals.html
  std::string flat;
  std::vector<Named> named;
  std::string histogram;
};

// Our own series: a row with the age of the oldest operation.
struct SeriesRow {
  double at_ms = 0;
  std::string run, interval;
  double rate = 0, megabytes = 0, in_flight = 0, oldest_ms = 0;
};
std::string interval_csv_header();
std::string interval_csv_row(const SeriesRow& row);

class VdbenchOutput {
 public:
  // `directory` exists and holds none of these files.
  static Result<VdbenchOutput> create(const std::string& directory, Console& console);
  VdbenchOutput(VdbenchOutput&&) = default;

  // What there will be a page of: "SD" and the names of SDs, "WD" …; and how the flat file begins.
  struct Pages {
    std::string kind;
    std::vector<std::string> names;
  };
  void begin(const Plan& plan, const std::vector<Pages>& pages, const std::string& flat_header);
  void status(const std::string& text);
  // A line with its time in the logfile only.
  void log(const std::string& text);
  // A line with its time on stdout, in summary and logfile.
  void say(const std::string& text);
  // A line of the error log, also on stdout.
  void error(const std::string& text);
  void error_only(const std::string& text);

  void start_run(const RunHeading& heading);
  void interval(const RowTexts& texts);
  void total(const RowTexts& texts);
  // Of the current run; kept for all runs together.
  void note_faults(std::uint64_t of_this_run);
  [[nodiscard]] std::uint64_t faults() const { return faults_before_ + faults_now_; }
  // The last lines; `good`: all came to its end as asked.
  void end(bool good, const std::string& directory);
  // First file that could not be written; empty when none.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Closer>;

  VdbenchOutput(std::string directory, Console& console)
      : directory_(std::move(directory)), console_(&console) {}
  Result<> open(const std::string& name);
  void write(const std::string& name, const std::string& text);
  void tell_row(const RowTexts& texts, bool total);

  std::string directory_;
  Console* console_;
  std::map<std::string, File> files_;
  std::map<std::string, unsigned> rows_;  // since the last header, by file
  std::string problem_;
  std::uint64_t faults_before_ = 0, faults_now_ = 0;
  std::size_t runs_ = 0;
};

// "17:08:39.047" and "Nov 22, 2026", local time.
std::string clock_text(Nanos realtime_ns);
std::string date_text(Nanos realtime_ns);
// "11/22/2026-10:35:35-UTC"
std::string flat_time(Nanos realtime_ns);

// vdbench's line of a failed I/O.
struct IoErrorLine {
  Nanos at_ns = 0;        // realtime
  std::string operation;  // "read"
  std::string lun;
  std::uint64_t offset = 0, size = 0;
  int error = 0;
};
std::string io_error_line(const IoErrorLine& fault);

}  // namespace stallproof
