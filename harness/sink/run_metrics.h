// SPDX-License-Identifier: Apache-2.0
// Listens to a run and keeps its metrics: to be collected by any thread at any time, and written as
// text into files by a thread of its own. The main thread gives news and never waits for a disk,
// but for the last writing, and for that at most five seconds.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "harness/sink/metrics_keeper.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

class RunMetrics final : public RunListener {
 public:
  // `textfile`: written beside stallproof.prom of the run directory; empty: none. `live`: they are
  // scraped, so each second counts.
  explicit RunMetrics(std::string textfile = "", bool live = false);
  // Gives the thread up when it is stuck.
  ~RunMetrics() override;

  // Any thread. Figures older than 250 ms are read anew; touches no file and no target.
  [[nodiscard]] MetricFamilies collect() const;
  // A run has begun, and whether a signal ended it.
  [[nodiscard]] bool begun() const;
  [[nodiscard]] bool interrupted() const;
  // Why a file could not be written; empty: all were.
  [[nodiscard]] std::string problem() const;

  // The run is over, with a verdict or without: writes the files once more.
  void finish();

  void on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) override;
  void on_stall(const StallNews& news) override;
  void on_explained(const StallNews& news) override;
  void on_resolved(const StallNews& news) override;
  void on_dropout(const DropoutNews& news) override;
  void on_capture(const CaptureNews& news) override;
  void on_blind(std::string_view what) override;
  void on_window(bool open) override;
  void on_mark(const MarkNews& news) override;
  void on_health(const HealthNews& news) override;
  void on_verdict(const Verdict& verdict) override;

 private:
  std::shared_ptr<MetricsKeeper> keeper_;  // also of the thread, which may outlive this
  std::string textfile_;
  bool live_;
  bool writing_ = false;
};

}  // namespace stallproof
