// SPDX-License-Identifier: Apache-2.0
#include "harness/store/series_read.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>

#include "harness/base/fd.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

// Longer lines are none of ours.
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostFields = 32;
constexpr std::size_t kMostFiles = 100'000;
// Some thirty years: a time beyond it is none.
constexpr double kMostMs = 1e12;

using Fields = std::span<const std::string_view>;

bool read_number(std::string_view word, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), into);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_number(std::string_view word, double& into) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), into);
  return error == std::errc() && end == word.data() + word.size() && std::isfinite(into) &&
         into >= 0 && into <= kMostMs * 1e3;
}

bool read_time(std::string_view word, double& into) {
  return read_number(word, into) && into <= kMostMs;
}

bool read_number(std::string_view word, std::optional<double>& into) {
  if (word.empty()) return true;
  double value = 0;
  if (!read_number(word, value)) return false;
  into = value;
  return true;
}

// Line by line with a bounded buffer.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}
  // False at the end or on an error. `whole`: it ended in a newline and was not too long.
  bool next(std::string_view& line, bool& whole);
  [[nodiscard]] int error() const { return error_; }

 private:
  bool fill();

  int fd_;
  int error_ = 0;
  std::array<char, 4 * kLongestLine> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool at_end_ = false;
};

bool Lines::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  ssize_t n = 0;
  do n = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
  while (n < 0 && errno == EINTR);
  if (n < 0) error_ = errno;
  if (n <= 0) at_end_ = true;
  end_ += n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0;
}

bool Lines::next(std::string_view& line, bool& whole) {
  bool skipping = false;
  while (true) {
    const char* const from = buffer_.data() + begin_;
    const std::size_t size = end_ - begin_;
    const void* const newline = std::memchr(from, '\n', size);
    if (newline != nullptr) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - from);
      begin_ += length + 1;
      whole = !skipping && length <= kLongestLine;
      line = {from, length};
      return true;
    }
    if (at_end_) {
      if (size == 0 && !skipping) return false;
      line = {from, size};
      begin_ = end_;
      whole = false;
      return true;
    }
    if (size > kLongestLine) {
      skipping = true;
      begin_ = end_;
    }
    fill();
  }
}

// Where a field that is in quotes ends: the comma behind it, or npos.
std::size_t end_of_quoted(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] != '"') continue;
    if (i + 1 == line.size() || line[i + 1] == ',')
      return i + 1 == line.size() ? std::string_view::npos : i + 1;
    ++i;  // a doubled one
  }
  return std::string_view::npos;
}

std::string without_quotes(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string text;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    text += field[i];
    if (field[i] == '"') ++i;
  }
  return text;
}

Fields split(std::string_view line, std::array<std::string_view, kMostFields>& into) {
  std::size_t count = 0;
  while (count < into.size()) {
    const std::size_t comma = line.starts_with('"') ? end_of_quoted(line) : line.find(',');
    into[count++] = line.substr(0, comma);
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  return {into.data(), count};
}

// `header`: the names of the columns; a later version may have more of them behind.
template <class Take>
SeriesNotes read_rows(const std::string& path, std::string_view header, Take take) {
  SeriesNotes notes;
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info {};
  if (!file.valid()) {
    notes.missing = errno == ENOENT || errno == ENOTDIR;
    if (!notes.missing) notes.problem = std::strerror(errno);
    return notes;
  }
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    notes.problem = "no regular file";
    return notes;
  }
  const auto columns = static_cast<std::size_t>(std::count(header.begin(), header.end(), ',')) + 1;
  const auto lines = std::make_unique<Lines>(file.get());
  std::array<std::string_view, kMostFields> fields;
  std::string_view line;
  bool whole = true;
  for (std::uint64_t number = 1; lines->next(line, whole); ++number) {
    if (number == 1) {
      if (whole && (line == header ||
                    (line.starts_with(header) && line.substr(header.size()).starts_with(','))))
        continue;
      notes.problem = "its first line is not the one of such a file";
      return notes;
    }
    const Fields row = split(line, fields);
    if (whole && row.size() >= columns && take(row)) {
      ++notes.rows;
      continue;
    }
    ++notes.bad_lines;
    if (notes.first_bad_line == 0) notes.first_bad_line = number;
  }
  notes.cut = !whole;
  if (lines->error() != 0) notes.problem = std::strerror(lines->error());
  return notes;
}

}  // namespace

std::string SeriesNotes::words(std::string_view file) const {
  if (!problem.empty()) return fmt::format("{}: {}", file, problem);
  if (cut && bad_lines == 1) return fmt::format("{}: its last line is cut", file);
  if (bad_lines == 0) return "";
  return fmt::format("{}: {} lines make no sense and are left out, the first is line {}{}", file,
                     bad_lines, first_bad_line, cut ? "; the last one is cut" : "");
}

SeriesNotes read_load_seconds(const std::string& run,
                              const std::function<void(const LoadSecond&)>& visit) {
  return read_rows(
      run + "/series/loads.csv",
      "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms", [&visit](Fields row) {
        LoadSecond second{.load = row[1]};
        const bool good =
            read_time(row[0], second.t_ms) && !row[1].empty() && read_number(row[2], second.ops) &&
            read_number(row[3], second.bytes) && read_number(row[4], second.errors) &&
            read_number(row[5], second.p50_us) && read_number(row[6], second.p99_us) &&
            read_number(row[7], second.max_us) && read_number(row[8], second.in_flight) &&
            read_number(row[9], second.oldest_ms);
        if (good) visit(second);
        return good;
      });
}

SeriesNotes read_latency_cells(const std::string& run,
                               const std::function<void(const LatencyCell&)>& visit) {
  return read_rows(run + "/series/latency.csv", "t_ms,load,from_us,count", [&visit](Fields row) {
    LatencyCell cell{.load = row[1]};
    const bool good = read_time(row[0], cell.t_ms) && !row[1].empty() &&
                      read_number(row[2], cell.from_us) && read_number(row[3], cell.count);
    if (good) visit(cell);
    return good;
  });
}

SeriesNotes read_around(const std::string& run, std::string_view incident,
                        const std::function<void(const AroundLook&)>& visit) {
  return read_rows(fmt::format("{}/series/around-{}.csv", run, incident),
                   "t_ms,load,ops,in_flight,oldest_ms", [&visit](Fields row) {
                     AroundLook look{.load = row[1]};
                     const bool good = read_time(row[0], look.t_ms) && !row[1].empty() &&
                                       read_number(row[2], look.ops) &&
                                       read_number(row[3], look.in_flight) &&
                                       read_number(row[4], look.oldest_ms);
                     if (good) visit(look);
                     return good;
                   });
}

SeriesNotes read_windows(const std::string& run,
                         const std::function<void(const SeriesWindow&)>& visit) {
  return read_rows(run + "/series/windows.csv", "start_ms,end_ms,kind,text", [&visit](Fields row) {
    const std::string text = without_quotes(row[3]);
    SeriesWindow window{.kind = row[2], .text = text};
    const bool good = read_time(row[0], window.start_ms) && read_time(row[1], window.end_ms) &&
                      window.end_ms >= window.start_ms && !row[2].empty();
    if (good) visit(window);
    return good;
  });
}

std::vector<std::string> around_ids(const std::string& run) {
  std::vector<std::string> ids;
  constexpr std::string_view kBegin = "around-", kEnd = ".csv";
  const OpenDirectory folder = open_directory(run + "/series");
  while (const dirent* const entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) continue;
    const auto id = name.substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size());
    const bool digits = !id.empty() && id.size() <= 9 &&
                        std::all_of(id.begin(), id.end(),
                                    [](char letter) { return letter >= '0' && letter <= '9'; });
    if (digits && ids.size() < kMostFiles) ids.emplace_back(id);
  }
  std::sort(ids.begin(), ids.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return ids;
}

}  // namespace stallproof
