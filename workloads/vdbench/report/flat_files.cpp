// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/flat_files.h"

#include <array>
#include <cctype>
#include <vector>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

constexpr std::array kFlatOperations = {
    FileOperation::read,    FileOperation::write,   FileOperation::mkdir, FileOperation::rmdir,
    FileOperation::create,  FileOperation::open,    FileOperation::close, FileOperation::erase,
    FileOperation::getattr, FileOperation::setattr, FileOperation::access};

void add_columns(std::vector<FlatColumn>& columns, const std::string& prefix,
                 const std::string& what) {
  for (const char* const measure : {"rate", "resp"}) {
    std::string name = prefix + measure;
    if (prefix.empty()) name[0] = static_cast<char>(std::toupper(name[0]));
    const bool rate = measure == std::string("rate");
    const std::string meaning = what + (rate ? ": operations a second" : ": response time, ms");
    columns.push_back({name, meaning});
    columns.push_back({name + "_std", meaning + ", standard deviation"});
    columns.push_back({name + "_max", meaning + ", greatest"});
  }
}

// Rate and response time with their deviations and maxima.
void add_operation(FlatLine& line, const OpTotals& totals, double seconds,
                   const RateSpread& spread) {
  for (const double value : {per_second(totals.count, seconds), spread.deviation(), spread.max,
                             response_ms(totals), deviation_ms(totals), totals.max_us / 1000})
    line.add(value);
}

void add_requested(FlatLine& line, const FileRow& row, const FileSpread& spread) {
  const OpTotals totals = row.totals.sum(row.requested);
  if (const auto only = row.requested.only())
    return add_operation(line, totals, row.seconds, spread.of(*only));
  const std::optional<double> unknown;
  line.add(per_second(totals.count, row.seconds));
  line.add(unknown);
  line.add(unknown);
  line.add(response_ms(totals));
  line.add(unknown);
  line.add(unknown);
}

}  // namespace

std::string flat_files_header() {
  std::vector<FlatColumn> columns = {
      {"Run", "name of the RD"},
      {"Interval", "number of the interval, or avg_FIRST-LAST"},
      {"Xfersize", "mean size of reads and writes"},
      {"Threads", "threads asked for"},
      {"Reqrate", "operations a second asked for; 9999988 is max"},
  };
  add_columns(columns, "", "what was asked for");
  columns.push_back({"MB/sec", "MB a second, of 1024*1024 bytes"});
  columns.push_back({"MB_read", "MB read a second"});
  columns.push_back({"MB_write", "MB written a second"});
  for (const FileOperation operation : kFlatOperations) {
    std::string name = name_of(operation);
    name[0] = static_cast<char>(std::toupper(name[0]));
    add_columns(columns, name + "_", name_of(operation));
  }
  columns.push_back({"Compratio", "compression asked for"});
  columns.push_back({"Dedupratio", "deduplication asked for"});
  add_cpu_columns(columns);
  return flat_header(columns);
}

std::string flat_files_line(const FlatFiles& asked, const FileRow& row, const FileSpread& spread) {
  const std::uint64_t read_bytes = row.totals.of(FileOperation::read).bytes;
  const std::uint64_t write_bytes = row.totals.of(FileOperation::write).bytes;
  FlatLine line(asked.stamp, row.label);
  line.add(
      static_cast<double>(bytes_each(row.totals.sum({FileOperation::read, FileOperation::write}))));
  line.add(asked.threads);
  line.add(asked.requested_rate);
  add_requested(line, row, spread);
  line.add(mib_per_second(read_bytes + write_bytes, row.seconds));
  line.add(mib_per_second(read_bytes, row.seconds));
  line.add(mib_per_second(write_bytes, row.seconds));
  for (const FileOperation operation : kFlatOperations)
    add_operation(line, row.totals.of(operation), row.seconds, spread.of(operation));
  line.add(asked.compression_ratio);
  line.add(asked.dedup_ratio);
  line.add_cpu(row.cpu);
  return line.text();
}

}  // namespace stallproof
