// SPDX-License-Identifier: Apache-2.0
#include "harness/store/series_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kSyncAfter = 10 * kSecond;
constexpr Nanos kBeginAfter = 5 * kSecond;
constexpr std::size_t kAtOnce = 64U << 10U;
constexpr std::size_t kMostWaiting = 256U << 10U;

}  // namespace

std::string csv_word(std::string name) {
  for (char& letter : name)
    if (letter == ',' || letter == '"' || static_cast<unsigned char>(letter) < ' ') letter = '_';
  return name;
}

std::string csv_text(std::string_view text) {
  std::string field;
  for (const char letter : text) {
    if (letter == '"') field += '"';
    field += static_cast<unsigned char>(letter) < ' ' ? ' ' : letter;
  }
  return field.find_first_of(",\"") == std::string::npos ? field : '"' + field + '"';
}

SeriesFile::SeriesFile(RunDir& run, std::string name, std::string header)
    : run_(&run), name_(std::move(name)), header_(std::move(header)) {}

void SeriesFile::append(std::string_view rows) {
  if (waiting_.size() > kAtOnce) serve(0);
  if (waiting_.size() + rows.size() > kMostWaiting) {
    rows_left_out_ += static_cast<std::uint64_t>(std::count(rows.begin(), rows.end(), '\n'));
    return;
  }
  if (!tried_ && waiting_.empty()) waiting_ = header_;
  waiting_ += rows;
}

bool SeriesFile::open() {
  if (tried_) return file_.valid();
  tried_ = true;
  const std::string path = run_->file(name_);
  auto made = make_directories(path.substr(0, path.rfind('/')));
  if (made)
    file_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file_.valid()) run_->remember(made ? Result<>(fail_errno("create " + path, errno)) : made);
  return file_.valid();
}

void SeriesFile::serve(Nanos now) {
  if (!waiting_.empty() && open()) {
    const ssize_t n = ::write(file_.get(), waiting_.data(), waiting_.size());
    if (n != static_cast<ssize_t>(waiting_.size()))
      run_->remember(fail_errno("append to " + run_->file(name_), n < 0 ? errno : ENOSPC));
    if (n > 0) {
      // The rest of a line that was cut follows it when there is room again.
      waiting_.erase(0, static_cast<std::size_t>(n));
      unsynced_ = true;
    }
  }
  if (now != 0 && unsynced_) bring_to_disk(now);
}

void SeriesFile::bring_to_disk(Nanos now) {
  if (unsynced_since_ns_ == 0) unsynced_since_ns_ = now;
  if (now < unsynced_since_ns_ + kBeginAfter) return;
  if (!on_its_way_) {
    on_its_way_ = true;
    // Not supported everywhere and only a favour: fdatasync follows.
    ::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  if (now >= unsynced_since_ns_ + kSyncAfter) sync();
}

void SeriesFile::sync() {
  if (::fdatasync(file_.get()) != 0) run_->remember(fail_errno("sync " + run_->file(name_), errno));
  unsynced_ = on_its_way_ = false;
  unsynced_since_ns_ = 0;
}

void SeriesFile::close() {
  serve(0);
  if (unsynced_) sync();
}

}  // namespace stallproof
