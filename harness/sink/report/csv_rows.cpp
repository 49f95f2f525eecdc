// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/csv_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kBlock = 256U << 10U;
constexpr std::size_t kLongestLine = 64U << 10U;

// Lines of a file. One without an end, as a crash leaves it, is told apart.
class LineReader {
 public:
  explicit LineReader(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    buffer_.resize(kBlock + kLongestLine);
  }
  [[nodiscard]] bool opened() const { return fd_.get() >= 0; }

  bool next(std::string_view& line, bool& whole) {
    while (true) {
      const char* from = buffer_.data() + begin_;
      const void* end = std::memchr(from, '\n', end_ - begin_);
      if (end != nullptr) {
        const auto length = static_cast<std::size_t>(static_cast<const char*>(end) - from);
        line = {from, length};
        begin_ += length + 1;
        whole = true;
        return true;
      }
      if (end_ - begin_ >= kLongestLine || !fill()) break;
    }
    line = {buffer_.data() + begin_, end_ - begin_};
    whole = false;
    begin_ = end_;
    return !line.empty();
  }

 private:
  bool fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t got = ::read(fd_.get(), buffer_.data() + end_, buffer_.size() - end_);
    if (got <= 0) return false;
    end_ += static_cast<std::size_t>(got);
    return true;
  }

  Fd fd_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace

class CsvFile {
 public:
  // At most `limit` fields; the last one then has the rest of the line.
  static void split(std::string_view line, std::size_t limit, CsvRow& row) {
    row.fields_.clear();
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    while (true) {
      const std::size_t comma = line.find(',');
      if (comma == std::string_view::npos || row.fields_.size() + 1 == limit) break;
      row.fields_.push_back(line.substr(0, comma));
      line.remove_prefix(comma + 1);
    }
    row.fields_.push_back(line);
  }
};

double CsvRow::number(std::size_t field) const {
  const std::string_view words = text(field);
  double value = 0;
  // Most are whole numbers, which are read several times as fast.
  std::uint64_t whole = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), whole);
  if (error == std::errc() && end == words.data() + words.size()) return static_cast<double>(whole);
  const auto [stop, failed] = std::from_chars(words.data(), words.data() + words.size(), value);
  const bool good = failed == std::errc() && stop == words.data() + words.size() && !words.empty();
  return good && value >= 0 && value < 1e300 ? value : kNoNumber;
}

CsvCounts read_csv(const std::string& path, const TakeHeader& header, const TakeRow& row) {
  LineReader lines(path);
  CsvCounts counts;
  counts.opened = lines.opened();
  if (!counts.opened) return counts;
  std::string_view line;
  bool whole = false;
  CsvRow fields;
  std::size_t columns = 0;
  while (lines.next(line, whole)) {
    if (!whole) {
      ++counts.bad;
      continue;
    }
    CsvFile::split(line, columns == 0 ? std::string_view::npos : columns, fields);
    if (columns == 0) {
      columns = fields.size();
      header(fields);
      continue;
    }
    const bool good = fields.size() == columns && row(fields);
    ++(good ? counts.rows : counts.bad);
  }
  return counts;
}

}  // namespace stallproof
