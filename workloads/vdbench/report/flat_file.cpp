// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/flat_file.h"

#include <vector>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

constexpr double kGibibyte = 1024.0 * 1024 * 1024;

}  // namespace

std::string flat_raw_header() {
  std::vector<FlatColumn> columns = {
      {"Run", "name of the RD"},
      {"Interval", "number of the interval, or avg_FIRST-LAST"},
      {"reqrate", "I/Os a second asked for; 9999988 is max"},
      {"rate", "I/Os a second done"},
      {"MB/sec", "MB a second, of 1024*1024 bytes"},
      {"bytes/io", "mean size of an I/O"},
      {"read%", "share of reads"},
      {"resp", "mean response time, in ms as all times"},
      {"read_resp", "the same of reads"},
      {"write_resp", "the same of writes"},
      {"resp_max", "longest response time"},
      {"read_max", "the same of reads"},
      {"write_max", "the same of writes"},
      {"resp_std", "standard deviation of response times"},
      {"read_std", "the same of reads"},
      {"write_std", "the same of writes"},
      {"xfersize", "size of an I/O asked for"},
      {"threads", "threads asked for"},
      {"rdpct", "share of reads asked for"},
      {"rhpct", "share of read hits asked for"},
      {"whpct", "share of write hits asked for"},
      {"seekpct", "share of random I/O asked for"},
      {"lunsize", "size of all luns in GB of 1024*1024*1024 bytes"},
      {"version", "of the program"},
      {"compratio", "compression asked for"},
      {"dedupratio", "deduplication asked for"},
      {"queue_depth", "mean number of I/Os in flight"},
  };
  add_cpu_columns(columns);
  return flat_header(columns);
}

std::string flat_raw_line(const FlatRaw& asked, const RawRow& row) {
  const OpTotals& read = row.totals.read;
  const OpTotals& write = row.totals.write;
  const OpTotals both = reads_and_writes(row.totals);
  FlatLine line(asked.stamp, row.label);
  for (const double value :
       {asked.requested_rate, per_second(both.count, row.seconds),
        mib_per_second(both.bytes, row.seconds), static_cast<double>(bytes_each(both)),
        read_percent(read, write), response_ms(both), response_ms(read), response_ms(write),
        both.max_us / 1000, read.max_us / 1000, write.max_us / 1000, deviation_ms(both),
        deviation_ms(read), deviation_ms(write)})
    line.add(value);
  for (const std::optional<double>& value : {asked.xfersize, asked.threads, asked.read_percent,
                                             asked.read_hits, asked.write_hits, asked.seek_percent})
    line.add(value);
  line.add(asked.lun_bytes / kGibibyte);
  line.add_text(asked.version);
  line.add(asked.compression_ratio);
  line.add(asked.dedup_ratio);
  line.add(queue_depth(row.totals, row.seconds));
  line.add_cpu(row.cpu);
  return line.text();
}

}  // namespace stallproof
