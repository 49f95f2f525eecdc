// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/flat_text.h"

#include <fmt/format.h>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

std::string comment(const std::string& name, const std::string& meaning) {
  return fmt::format("* {:<16}: {}\n", name, meaning);
}

}  // namespace

std::string flat_header(std::span<const FlatColumn> columns) {
  std::string text =
      "*\n"
      "* One line for each interval and one for each run's average, in columns one blank apart.\n"
      "* Their names stand in the first line that is no comment.\n"
      "*\n";
  // vdbench indents the names of the first two; its own reader wants it so.
  std::string names = fmt::format("{:>12} {:>23} ", "tod", "timestamp");
  for (const FlatColumn& column : columns) {
    text += comment(column.name, column.meaning);
    names += column.name + " ";
  }
  return text + comment("'n/a'", "unknown, or not the same in all workloads") + "*\n" + names +
         "\n";
}

void add_cpu_columns(std::vector<FlatColumn>& columns) {
  columns.push_back({"cpu_used", "CPU in percent: user and kernel"});
  columns.push_back({"cpu_user", "CPU in percent: user"});
  columns.push_back({"cpu_kernel", "CPU in percent: kernel"});
  columns.push_back({"cpu_wait", "CPU in percent: waiting for I/O"});
  columns.push_back({"cpu_idle", "CPU in percent: idle"});
}

FlatLine::FlatLine(const FlatStamp& stamp, const std::string& label)
    : text_(fmt::format("{} {} {} {}{} ", stamp.tod, stamp.timestamp, stamp.run,
                        label.starts_with("avg") ? " " : "", label)) {}

void FlatLine::add(double value) { add_text(trimmed_text(value)); }

void FlatLine::add(const std::optional<double>& value) {
  add_text(value ? trimmed_text(*value) : "n/a");
}

void FlatLine::add_text(const std::string& text) { text_ += text + " "; }

void FlatLine::add_cpu(const CpuShares& cpu) {
  for (const double share : {cpu.user + cpu.kernel, cpu.user, cpu.kernel, cpu.wait, cpu.idle})
    add(share);
}

}  // namespace stallproof
