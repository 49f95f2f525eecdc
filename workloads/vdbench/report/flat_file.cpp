// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/flat_file.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace stallproof {
namespace {

struct Column {
  std::string_view name, meaning;
};

constexpr std::array kColumns = {
    Column{"tod", "local time of the row"},
    Column{"timestamp", "date, time and time zone"},
    Column{"Run", "name of the run (rd=)"},
    Column{"Interval", "number of the interval, or avg_ and the intervals it covers"},
    Column{"reqrate", "I/Os per second asked for; 9999988 is max"},
    Column{"rate", "I/Os per second completed"},
    Column{"MB/sec", "megabytes (1024*1024) per second"},
    Column{"bytes/io", "bytes per I/O"},
    Column{"read%", "reads, percent"},
    Column{"resp", "response time, ms"},
    Column{"read_resp", "response time of reads, ms"},
    Column{"write_resp", "response time of writes, ms"},
    Column{"resp_max", "longest response, ms"},
    Column{"read_max", "longest response of a read, ms"},
    Column{"write_max", "longest response of a write, ms"},
    Column{"resp_std", "standard deviation of the response, ms"},
    Column{"read_std", "standard deviation of reads, ms"},
    Column{"write_std", "standard deviation of writes, ms"},
    Column{"xfersize", "transfer size asked for"},
    Column{"threads", "threads asked for"},
    Column{"rdpct", "read percentage asked for"},
    Column{"rhpct", "read hits asked for, percent"},
    Column{"whpct", "write hits asked for, percent"},
    Column{"seekpct", "random I/Os asked for, percent"},
    Column{"lunsize", "gigabytes (1024*1024*1024) of all luns"},
    Column{"version", "version of vdbench whose format this is"},
    Column{"compratio", "compression ratio asked for"},
    Column{"dedupratio", "dedup ratio asked for"},
    Column{"queue_depth", "I/Os in flight, mean; those that never completed count"},
    Column{"cpu_used", "user and kernel, percent of all CPUs"},
    Column{"cpu_user", "user, percent"},
    Column{"cpu_kernel", "kernel, percent"},
    Column{"cpu_wait", "waiting for I/O, percent"},
    Column{"cpu_idle", "idle, percent"},
};

std::string number(double value) {
  return value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.4f}", value);
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "n/a"; }

}  // namespace

std::string flat_header() {
  std::string text =
      "*\n* One line for each interval and one for each average, blank separated.\n*\n";
  std::string names;
  for (const Column& column : kColumns) {
    text += fmt::format("* {:<16}: {}\n", column.name, column.meaning);
    names += fmt::format("{} ", column.name);
  }
  return text + "* n/a             : not asked for, or several different ones\n*\n" + names + "\n";
}

std::string flat_line(std::string_view time, std::string_view stamp, const FlatRaw& run,
                      const RawRow& row) {
  const RawFigures f = figures_of(row);
  // Two blanks before the label of an average: vdbench prints it wider, and some parsers skip
  // averages by that.
  const std::string label = row.label.starts_with("avg") ? " " + row.label : row.label;
  std::string line = fmt::format("{} {} {} {} ", time, stamp, run.run, label);
  for (const double value :
       {run.requested_rate, f.rate, f.megabytes, std::trunc(f.bytes_per_io), f.read_percent,
        f.response_ms, f.read_response_ms, f.write_response_ms, f.max_ms, f.read_max_ms,
        f.write_max_ms, f.deviation_ms, f.read_deviation_ms, f.write_deviation_ms})
    line += number(value) + " ";
  for (const auto& value : {run.xfersize, run.threads, run.read_percent, run.read_hits,
                            run.write_hits, run.seek_percent})
    line += number(value) + " ";
  line += fmt::format("{} {} n/a n/a ", number(run.lun_gigabytes), run.version);
  for (const double value : {f.queue_depth, row.cpu.user + row.cpu.kernel, row.cpu.user,
                             row.cpu.kernel, row.cpu.wait, row.cpu.idle})
    line += number(value) + " ";
  return line;
}

}  // namespace stallproof
