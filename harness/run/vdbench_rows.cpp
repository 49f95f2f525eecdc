// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostPerPoll = 1U << 20U;
constexpr std::size_t kMostRows = 20'000;         // between two times that they are taken
constexpr std::int64_t kQuarterHourMs = 900'000;  // every time zone is a multiple of it
// So late a row is missing: half an interval, and what writing and looking take.
constexpr Nanos kSlack = kSecond;

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream text{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return word;
}

// "17:08:39.047" is local time of a zone we do not know: the time within 7.5 minutes of now whose
// minutes and seconds fit.
Nanos time_of(const std::string& tod, Nanos now, Nanos realtime_now) {
  int hour = 0, minute = 0;
  double second = 0;
  if (std::sscanf(tod.c_str(), "%d:%d:%lf", &hour, &minute, &second) != 3) return now;
  const std::int64_t row_ms = hour * 3'600'000LL + minute * 60'000LL + std::llround(second * 1000);
  const auto now_ms = static_cast<std::int64_t>(realtime_now / kMillisecond);
  std::int64_t away = (row_ms - now_ms) % kQuarterHourMs;
  if (away > kQuarterHourMs / 2) away -= kQuarterHourMs;
  if (away < -kQuarterHourMs / 2) away += kQuarterHourMs;
  const std::int64_t at =
      static_cast<std::int64_t>(now) + away * static_cast<std::int64_t>(kMillisecond);
  return at < 0 ? 0 : static_cast<Nanos>(at);
}

// What says whether it is still the file that was read before.
struct FileMark {
  std::uint64_t inode = 0, size = 0;
};

// A FileMark, then what follows `offset`.
int copy_from(const std::string& path, std::uint64_t offset, int into) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return errno;
  const FileMark mark{info.st_ino, static_cast<std::uint64_t>(info.st_size)};
  if (::write(into, &mark, sizeof mark) != static_cast<ssize_t>(sizeof mark)) return EPIPE;
  std::array<char, 16384> chunk;
  for (std::size_t sent = 0; sent < kMostPerPoll;) {
    const ssize_t n =
        ::pread(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(offset + sent));
    if (n <= 0) return n < 0 ? errno : 0;
    if (::write(into, chunk.data(), static_cast<std::size_t>(n)) != n) return EPIPE;
    sent += static_cast<std::size_t>(n);
  }
  return 0;
}

}  // namespace

void VdbenchRows::poll(Nanos now, Nanos realtime_now) {
  if (directory_.empty()) return;
  const std::string path = directory_ + "/flatfile.html";
  const BoundedText read = text_bounded([&](int into) { return copy_from(path, offset_, into); },
                                        Deadline::in(300 * kMillisecond));
  const bool first = !std::exchange(polled_, true);
  FileMark mark;
  if (read.error != 0 || read.text.size() < sizeof mark) {
    if (offset_ == 0) problem_ = path + ": " + std::strerror(read.error);
    return;
  }
  problem_.clear();
  std::memcpy(&mark, read.text.data(), sizeof mark);
  if (inode_ != 0 && (mark.inode != inode_ || mark.size < offset_)) {
    begin_anew();
  } else {
    // What was there before us, of an earlier run or of hours ago, only names the columns.
    before_us_ = before_us_ || (first && mark.size > 0);
    offset_ += read.text.size() - sizeof mark;
    feed(std::string_view(read.text).substr(sizeof mark), now, realtime_now);
    before_us_ = before_us_ && offset_ < mark.size;
  }
  inode_ = mark.inode;
  notice_missing(now);
}

// vdbench deletes the files of an earlier run and writes new ones.
void VdbenchRows::begin_anew() {
  offset_ = 0;
  rest_.clear();
  columns_.clear();
  last_ns_ = interval_ns_ = 0;
  before_us_ = false;
}

void VdbenchRows::feed(std::string_view appended, Nanos now, Nanos realtime_now) {
  rest_ += appended;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
    take_line(std::string_view(rest_).substr(begin, end - begin), now, realtime_now);
  rest_.erase(0, begin);
}

std::string VdbenchRows::field(const std::vector<std::string>& words, const char* name) const {
  const auto at = columns_.find(name);
  return at == columns_.end() || at->second >= words.size() ? std::string() : words[at->second];
}

void VdbenchRows::take_line(std::string_view line, Nanos now, Nanos realtime_now) {
  const auto words = words_of(line);
  if (words.empty() || words[0] == "*") return;
  if (lower(words[0]) == "tod") {
    columns_.clear();
    for (std::size_t i = 0; i < words.size(); ++i) columns_[lower(words[i])] = i;
    return;
  }
  const std::string label = field(words, "interval");
  if (label.empty() || columns_.empty()) return;
  if (label.find_first_not_of("0123456789") != std::string::npos) {
    last_ns_ = 0;  // avg_2-20: this run has ended, the next may begin when it likes
    return;
  }
  if (before_us_) return;
  VdbenchRow row{.at_ns = time_of(words[0], now, realtime_now),
                 .run = field(words, "run"),
                 .interval = std::strtoull(label.c_str(), nullptr, 10),
                 .iops = std::strtod(field(words, "rate").c_str(), nullptr),
                 .mbps = std::strtod(field(words, "mb/sec").c_str(), nullptr),
                 .resp_ms = std::strtod(field(words, "resp").c_str(), nullptr)};
  const bool follows = last_ns_ != 0 && row.run == run_ && row.interval >= expected_;
  if (!follows) expected_ = row.interval;
  if (row.run != run_) interval_ns_ = 0;
  run_ = row.run;
  // A row that is left out is missing, however soon the next one comes.
  while (expected_ < row.interval && rows_.size() < kMostRows)
    add_missing(row.at_ns - (row.interval - expected_) * interval_ns_);
  learn_interval(row);
  last_ns_ = row.at_ns;
  last_interval_ = row.interval;
  expected_ = std::max(expected_, row.interval + 1);
  rows_.push_back(std::move(row));
}

// Whole seconds, the shortest seen: rows of one burst lie closer, a freeze parts them further.
void VdbenchRows::learn_interval(const VdbenchRow& row) {
  if (last_ns_ == 0 || row.at_ns <= last_ns_ || row.interval != last_interval_ + 1) return;
  const Nanos seconds = (row.at_ns - last_ns_ + kSecond / 2) / kSecond;
  if (seconds == 0) return;
  if (interval_ns_ == 0 || seconds * kSecond < interval_ns_) interval_ns_ = seconds * kSecond;
}

void VdbenchRows::add_missing(Nanos due) {
  rows_.push_back({.at_ns = due, .run = run_, .interval = expected_++, .missing = true});
  ++missing_;
}

void VdbenchRows::notice_missing(Nanos now) {
  if (last_ns_ == 0 || interval_ns_ == 0) return;
  while (rows_.size() < kMostRows) {
    const Nanos due = last_ns_ + (expected_ - last_interval_) * interval_ns_;
    if (now < due + interval_ns_ / 2 + kSlack) return;
    add_missing(due);
  }
}

std::string VdbenchRows::take_csv(Nanos run_started_ns) {
  std::string text;
  for (const VdbenchRow& row : rows_) {
    const double ms = (static_cast<double>(row.at_ns) - static_cast<double>(run_started_ns)) / 1e6;
    text += row.missing ? fmt::format("{:.0f},{},,,,1\n", ms, row.interval)
                        : fmt::format("{:.0f},{},{},{},{},0\n", ms, row.interval, row.iops,
                                      row.mbps, row.resp_ms);
  }
  rows_.clear();
  return text;
}

}  // namespace stallproof
