// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/run_metrics.h"

#include <sys/prctl.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "harness/sink/quiet_threads.h"

namespace stallproof {
namespace {

// A disk that does not answer shall not keep a run from ending.
constexpr Nanos kLastWriting = 5 * kSecond;
constexpr const char* kFile = "stallproof.prom";
constexpr std::size_t kMarksKept = 1000;  // whose windows overlap

}  // namespace

RunMetrics::RunMetrics(std::string textfile, bool live)
    : keeper_(std::make_shared<MetricsKeeper>()), textfile_(std::move(textfile)), live_(live) {}

RunMetrics::~RunMetrics() { finish(); }

MetricFamilies RunMetrics::collect() const { return keeper_->collect(); }
bool RunMetrics::begun() const { return keeper_->begun(); }
bool RunMetrics::interrupted() const { return keeper_->interrupted(); }
std::string RunMetrics::problem() const { return keeper_->problem(); }

void RunMetrics::on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) {
  keeper_->begin(news, std::move(source));
  std::vector<std::string> files{news.dir + "/" + kFile};
  if (!textfile_.empty()) files.push_back(textfile_);
  const SignalsBlocked blocked;
  std::thread([keeper = keeper_, files, live = live_] {
    ::prctl(PR_SET_NAME, "metrics");
    keeper->write_until_told(files, live);
  }).detach();
  writing_ = true;
}

void RunMetrics::on_stall(const StallNews& news) {
  keeper_->change([&](RunPicture& picture) { picture.stalls.opened(news); });
}

void RunMetrics::on_explained(const StallNews& news) {
  keeper_->change([&](RunPicture& picture) { picture.stalls.explained(news); });
}

void RunMetrics::on_resolved(const StallNews& news) {
  keeper_->change([&](RunPicture& picture) { picture.stalls.resolved(news); });
}

void RunMetrics::on_dropout(const DropoutNews& news) {
  keeper_->change_with_loads([&](RunPicture& picture) {
    picture.stalls.dropout(news, picture.loads.label_of(news.workload));
  });
}

void RunMetrics::on_capture(const CaptureNews& news) {
  keeper_->change([&](RunPicture& picture) { picture.stalls.captured(news); });
}

void RunMetrics::on_blind(std::string_view) {
  keeper_->change([](RunPicture& picture) { ++picture.sight_lost; });
}

void RunMetrics::on_window(bool open) {
  keeper_->change([open](RunPicture& picture) { picture.canary = open; });
}

void RunMetrics::on_mark(const MarkNews& news) {
  keeper_->change([&](RunPicture& picture) {
    const auto over = [&](const MarkNews& mark) { return mark.end_ms < news.start_ms; };
    std::erase_if(picture.marks, over);
    if (picture.marks.size() < kMarksKept) picture.marks.push_back(news);
  });
}

void RunMetrics::on_health(const HealthNews& news) {
  keeper_->change([&](RunPicture& picture) { picture.health = news; });
}

void RunMetrics::on_verdict(const Verdict& verdict) {
  const auto named = [&verdict](const char* word) {
    return std::count_if(
        verdict.left_behind.begin(), verdict.left_behind.end(),
        [word](const std::string& thing) { return thing.find(word) != std::string::npos; });
  };
  const bool interrupted = std::find(verdict.reasons.begin(), verdict.reasons.end(),
                                     "interrupted") != verdict.reasons.end();
  keeper_->end({.verdict = outcome_name(verdict.outcome),
                .probe_timeouts = verdict.observer.probe_timeouts,
                .left_behind = verdict.left_behind.size(),
                .unkillable = static_cast<std::uint64_t>(named("unkillable"))},
               interrupted);
  finish();
}

void RunMetrics::finish() {
  if (!writing_) return;
  writing_ = false;
  keeper_->tell_writer_to_end();
  if (!keeper_->wait_for_writer(kLastWriting))
    keeper_->note_problem("metrics: the disk of the text files does not answer");
}

}  // namespace stallproof
