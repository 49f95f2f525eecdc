// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/activity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::string_view kBegin = "t_ms,load,ops,";
constexpr std::size_t kBuffer = std::size_t{1} << 18U;
// Longer lines are none of ours.
constexpr std::size_t kLongestLine = 4096;
// Some thirty years: a time beyond it is none.
constexpr double kMostMs = 1e12;
constexpr double kUsualStepMs = 1000;

class ActivityReader {
 public:
  ActivityReader(const AxisPlace& place, Activity& activity) : place_(place), activity_(activity) {}
  void take_line(std::string_view line);
  void end() { end_second(); }

 private:
  bool take_row(std::string_view line);
  void end_second();

  const AxisPlace& place_;
  Activity& activity_;
  bool header_seen_ = false, good_ = true;
  double t_ms_ = -1, before_ms_ = -1;
  double ops_ = 0;
};

void ActivityReader::take_line(std::string_view line) {
  if (!header_seen_) {
    header_seen_ = true;
    good_ = line.starts_with(kBegin);
    if (!good_) activity_.problem = "its columns are not those of a run's loads";
    return;
  }
  if (!good_) return;
  if (take_row(line))
    ++activity_.rows;
  else
    ++activity_.bad_lines;
}

bool ActivityReader::take_row(std::string_view line) {
  const char* const end = line.data() + line.size();
  double t_ms = 0;
  const auto time = std::from_chars(line.data(), end, t_ms);
  if (time.ec != std::errc() || time.ptr == end || *time.ptr != ',') return false;
  if (!(t_ms >= 0 && t_ms <= kMostMs) || t_ms < t_ms_) return false;
  const char* const load = time.ptr + 1;
  const void* const comma = std::memchr(load, ',', static_cast<std::size_t>(end - load));
  if (comma == nullptr || comma == load) return false;
  std::uint64_t ops = 0;
  const auto count = std::from_chars(static_cast<const char*>(comma) + 1, end, ops);
  if (count.ec != std::errc() || count.ptr == end || *count.ptr != ',') return false;
  if (t_ms != t_ms_) {
    end_second();
    t_ms_ = t_ms;
  }
  ops_ += static_cast<double>(ops);
  return true;
}

// All loads of one moment are known.
void ActivityReader::end_second() {
  if (t_ms_ < 0) return;
  const double step = before_ms_ < 0 ? kUsualStepMs : t_ms_ - before_ms_;
  const double rate = ops_ / std::max(step, 1.0) * 1e3;
  const double at = (place_.begin_ms + t_ms_) * kActivityColumns / place_.span_ms;
  activity_.last_ms = before_ms_ = t_ms_;
  ops_ = 0;
  // The second that ends with the axis is its last column's; beyond it nothing is shown.
  if (!(at >= 0 && at <= kActivityColumns) || !std::isfinite(rate)) return;
  const auto column = std::min(static_cast<std::size_t>(at), kActivityColumns - 1);
  ActivityColumn& into = activity_.columns[column];
  const auto value = static_cast<float>(rate);
  if (std::isnan(into.low) || value < into.low) into.low = value;
  if (std::isnan(into.high) || value > into.high) into.high = value;
}

// Whole lines go to the reader; what has no newline was cut by a crash and counts as bad.
void read_lines(int fd, ActivityReader& reader, Activity& activity) {
  std::vector<char> buffer(kBuffer);
  std::size_t held = 0;
  bool skipping = false;
  while (true) {
    const ssize_t got = ::read(fd, buffer.data() + held, buffer.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) activity.problem = std::strerror(errno);
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    std::size_t begin = 0;
    while (begin < held) {
      const void* const newline = std::memchr(buffer.data() + begin, '\n', held - begin);
      if (newline == nullptr) break;
      const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer.data());
      if (skipping)
        ++activity.bad_lines;
      else
        reader.take_line({buffer.data() + begin, end - begin});
      skipping = false;
      begin = end + 1;
    }
    held -= begin;
    std::memmove(buffer.data(), buffer.data() + begin, held);
    if (held <= kLongestLine) continue;
    skipping = true;
    held = 0;
  }
  if (held > 0 || skipping) ++activity.bad_lines;
}

}  // namespace

std::string Activity::words() const {
  if (missing) return "no series/loads.csv: its throughput is not shown";
  if (!problem.empty()) return "series/loads.csv: " + problem;
  if (bad_lines == 1) return "series/loads.csv: one line is cut or makes no sense";
  if (bad_lines > 1)
    return fmt::format("series/loads.csv: {} lines are cut or make no sense", bad_lines);
  return {};
}

Activity read_activity(const std::string& run_directory, const AxisPlace& place) {
  Activity activity;
  const std::string path = run_directory + "/series/loads.csv";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    activity.missing = errno == ENOENT;
    if (!activity.missing) activity.problem = std::strerror(errno);
    return activity;
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    activity.problem = "not a regular file";
    return activity;
  }
  ActivityReader reader(place, activity);
  read_lines(file.get(), reader, activity);
  reader.end();
  return activity;
}

}  // namespace stallproof
