// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "harness/base/result_file.h"
#include "harness/sink/metrics_text.h"

namespace stallproof {
namespace {

constexpr Nanos kFresh = 250 * kMillisecond;
constexpr unsigned kSecondsBetweenFiles = 10;
// Figures of many thousand threads take a while: reading them is at most this part of our time.
constexpr Nanos kShare = 20;
// A stall that has stood for a minute is counted by the class that it has.
constexpr double kClassStays = 60'000;

}  // namespace

void MetricsKeeper::begin(const RunNews& news, std::shared_ptr<const FigureSource> source) {
  const std::lock_guard lock(mutex_);
  picture_.news = news;
  picture_.loads.set_targets(news.targets);
  picture_.active = true;
  source_ = std::move(source);
  refresh(0);
  picture_.loads.note_second(1);
  last_second_ns_ = monotonic_now();
}

void MetricsKeeper::end(const RunEnd& end, bool interrupted) {
  const std::lock_guard lock(mutex_);
  refresh(0);
  picture_.stalls.settle_all();
  picture_.end = end;
  picture_.active = false;
  interrupted_ = interrupted;
}

MetricFamilies MetricsKeeper::collect() {
  const std::lock_guard lock(mutex_);
  refresh(kFresh);
  const MetricsMoment now{.monotonic_ns = monotonic_now(), .realtime_ns = realtime_now()};
  picture_.stalls.settle_found_before(run_ms(picture_, now) - kClassStays);
  return run_metrics(picture_, now);
}

bool MetricsKeeper::begun() const {
  const std::lock_guard lock(mutex_);
  return picture_.news.started_ns != 0;
}

bool MetricsKeeper::interrupted() const {
  const std::lock_guard lock(mutex_);
  return interrupted_;
}

std::string MetricsKeeper::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void MetricsKeeper::note_problem(const std::string& what) {
  const std::lock_guard lock(mutex_);
  problem_ = what;
}

void MetricsKeeper::refresh(Nanos oldest) {
  if (!picture_.active || !source_) return;
  const Nanos now = monotonic_now();
  if (oldest != 0 && now < picture_.figures.taken_ns + std::max(oldest, rest())) return;
  picture_.figures = source_->read();
  picture_.loads.take(picture_.figures);
  reading_took_ns_ = monotonic_now() - now;
}

Nanos MetricsKeeper::rest() const { return kShare * reading_took_ns_; }

void MetricsKeeper::note_second(Nanos now) {
  if (now < last_second_ns_ + rest()) return;
  refresh(0);
  picture_.loads.note_second(static_cast<double>(now - last_second_ns_) / 1e9);
  last_second_ns_ = now;
}

void MetricsKeeper::save(const std::vector<std::string>& files) {
  const std::string text = metrics_text(collect());
  std::string problem;
  for (const std::string& file : files)
    if (auto written = replace_file(file, text); !written && problem.empty())
      problem = written.error().what;
  const std::lock_guard lock(mutex_);
  problem_ = problem;
}

void MetricsKeeper::write_until_told(const std::vector<std::string>& files, bool paced) {
  for (unsigned second = 0;; ++second) {
    if (second % kSecondsBetweenFiles == 0) save(files);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(1), [this] { return writer_may_end_; });
    if (writer_may_end_) break;
    if (paced) note_second(monotonic_now());
  }
  save(files);
  const std::lock_guard lock(mutex_);
  writer_ended_ = true;
  changed_.notify_all();
}

void MetricsKeeper::tell_writer_to_end() {
  const std::lock_guard lock(mutex_);
  writer_may_end_ = true;
  changed_.notify_all();
}

bool MetricsKeeper::wait_for_writer(Nanos limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(limit), [this] { return writer_ended_; });
}

}  // namespace stallproof
