// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/file_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

struct Field {
  const char* name;
  int width, decimals;
};

// One or two fields below one title.
struct FileColumn {
  std::string title;
  std::vector<Field> fields;
};

constexpr int kLabelWidth = 12;

bool has_column(FileOperation operation, const FileOperations& used) {
  switch (operation) {
    case FileOperation::getattr:
    case FileOperation::setattr:
    case FileOperation::access:
    case FileOperation::copy:
    case FileOperation::move:
      return used.has(operation);
    default:
      return true;
  }
}

// Behind the transfer size, in this order.
std::vector<FileOperation> column_operations(const FileOperations& used) {
  std::vector<FileOperation> operations = {
      FileOperation::mkdir,  FileOperation::rmdir, FileOperation::create,  FileOperation::open,
      FileOperation::close,  FileOperation::erase, FileOperation::getattr, FileOperation::setattr,
      FileOperation::access, FileOperation::copy,  FileOperation::move};
  std::erase_if(operations, [&](FileOperation operation) { return !has_column(operation, used); });
  return operations;
}

std::vector<FileColumn> file_columns(const FileOperations& used) {
  std::vector<FileColumn> columns = {{"Interval", {{"", kLabelWidth, 0}}},
                                     {"ReqstdOps.", {{"rate", 6, 1}, {"resp", 6, 3}}},
                                     {"cpu%", {{"total", 5, 1}, {"sys", 4, 2}}},
                                     {" read", {{"pct", 5, 1}}},
                                     {"read", {{"rate", 6, 1}, {"resp", 6, 3}}},
                                     {"write", {{"rate", 6, 1}, {"resp", 6, 3}}},
                                     {"mb/sec", {{"read", 5, 2}, {"write", 5, 2}}},
                                     {"mb/sec", {{"total", 6, 2}}},
                                     {"xfer", {{"size", 7, 0}}}};
  for (const FileOperation operation : column_operations(used))
    columns.push_back({name_of(operation), {{"rate", 5, 1}, {"resp", 6, 3}}});
  return columns;
}

// Centred in dots, one more behind than before.
std::string dotted(const FileColumn& column) {
  int width = -1;
  for (const Field& field : column.fields) width += field.width + 1;
  const int dots = width - static_cast<int>(column.title.size());
  return fmt::format("{:.<{}}{}{:.<{}}", "", dots / 2, column.title, "", dots - dots / 2);
}

// `values` in the order of all fields behind the label.
std::string line_text(std::string_view time, std::string_view label,
                      const std::vector<double>& values, const FileOperations& used,
                      bool blank_zeros) {
  std::string text = fmt::format("{} {:>{}}", time, label, kLabelWidth);
  std::size_t at = 0;
  for (const FileColumn& column : file_columns(used)) {
    if (column.title == "Interval") continue;
    for (const Field& field : column.fields) {
      const double value = values[at++];
      text += blank_zeros && value == 0
                  ? std::string(static_cast<std::size_t>(field.width) + 1, ' ')
                  : " " + fitted_text(value, field.width, field.decimals);
    }
  }
  return text + "\n";
}

// Rate and response time of one operation, or what stands for them in the spread.
template <class Pair>
std::vector<double> spread_values(const FileRow& average, const FileOperations& used, Pair pair) {
  std::vector<double> values;
  const auto add = [&](std::optional<FileOperation> operation) {
    const std::array<double, 2> two = operation ? pair(*operation) : std::array<double, 2>{0, 0};
    values.insert(values.end(), two.begin(), two.end());
  };
  add(average.requested.only());
  values.insert(values.end(), 3, 0.0);  // CPU and share of reads
  add(FileOperation::read);
  add(FileOperation::write);
  values.insert(values.end(), 4, 0.0);  // MB and transfer size
  for (const FileOperation operation : column_operations(used)) add(operation);
  return values;
}

std::string relabelled(const std::string& label, const char* with) {
  return label.starts_with("avg") ? with + label.substr(3) : label;
}

}  // namespace

void RateSpread::add(double rate) {
  rate = std::trunc(rate);
  ++intervals;
  sum += rate;
  squares += rate * rate;
  max = std::max(max, rate);
}

double RateSpread::deviation() const {
  if (intervals < 2) return 0;
  const auto count = static_cast<double>(intervals);
  return std::sqrt(std::max(count * squares - sum * sum, 0.0) / (count * (count - 1)));
}

void FileSpread::add(const FileTotals& interval, double seconds) {
  for (std::size_t i = 0; i < kFileOperations; ++i)
    operations[i].add(per_second(interval.operations[i].count, seconds));
}

std::string file_header(std::string_view date, const FileOperations& used) {
  std::string above = fmt::format("{:<12}", date), below(12, ' ');
  for (const FileColumn& column : file_columns(used)) {
    above += " " + dotted(column);
    for (const Field& field : column.fields)
      below += fmt::format(" {:>{}}", field.name, field.width);
  }
  return "\n" + above + "\n" + below + "\n";
}

std::string file_row(std::string_view time, const FileRow& row, const FileOperations& used) {
  const OpTotals& read = row.totals.of(FileOperation::read);
  const OpTotals& write = row.totals.of(FileOperation::write);
  OpTotals both = read;
  both += write;
  const OpTotals requested = row.totals.sum(row.requested);
  std::vector<double> values = {per_second(requested.count, row.seconds),
                                response_ms(requested),
                                row.cpu.user + row.cpu.kernel,
                                row.cpu.kernel,
                                read_percent(read, write),
                                per_second(read.count, row.seconds),
                                response_ms(read),
                                per_second(write.count, row.seconds),
                                response_ms(write),
                                mib_per_second(read.bytes, row.seconds),
                                mib_per_second(write.bytes, row.seconds),
                                mib_per_second(both.bytes, row.seconds),
                                static_cast<double>(bytes_each(both))};
  for (const FileOperation operation : column_operations(used)) {
    values.push_back(per_second(row.totals.of(operation).count, row.seconds));
    values.push_back(response_ms(row.totals.of(operation)));
  }
  return line_text(time, row.label, values, used, false);
}

std::string file_spread_rows(std::string_view time, const FileRow& average,
                             const FileSpread& spread, const FileOperations& used) {
  const std::vector<double> deviations = spread_values(average, used, [&](FileOperation operation) {
    return std::array{spread.of(operation).deviation(), deviation_ms(average.totals.of(operation))};
  });
  const std::vector<double> maxima = spread_values(average, used, [&](FileOperation operation) {
    return std::array{spread.of(operation).max, average.totals.of(operation).max_us / 1000};
  });
  return line_text(time, relabelled(average.label, "std"), deviations, used, true) +
         line_text(time, relabelled(average.label, "max"), maxima, used, true);
}

}  // namespace stallproof
