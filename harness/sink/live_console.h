// SPDX-License-Identifier: Apache-2.0
// The live view of a run: follows its news, takes its figures once a second and draws them in place
// on the console. Controller, main thread: drawn by the passes of the run's own loop; a stopped
// terminal is not waited for.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/sink/console.h"
#include "harness/sink/live_view.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

// Figures once a second, each with those of the second before. Pure but for the source.
class FigureSeconds {
 public:
  void begin(std::shared_ptr<const FigureSource> source, Nanos started_ns);
  // True when a second has passed: before() and now() are new.
  bool take_if_due(Nanos now);
  [[nodiscard]] const RunFigures& before() const { return before_; }
  [[nodiscard]] const RunFigures& now() const { return now_; }

 private:
  std::shared_ptr<const FigureSource> source_;
  Nanos next_ns_ = ~Nanos{0};
  RunFigures before_, now_;
};

class LiveConsole final : public RunListener, public PassListener {
 public:
  struct Options {
    Nanos stall_after = kSecond;  // from which age an operation is highlighted
  };
  // The console must outlive it.
  LiveConsole(Console& console, const Options& options);

  void on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) override;
  void on_stall(const StallNews& news) override;
  void on_explained(const StallNews& news) override;
  void on_resolved(const StallNews& news) override;
  void on_dropout(const DropoutNews& news) override;
  void on_blind(std::string_view why) override;
  void on_window(bool open) override;
  void on_mark(const MarkNews& news) override { marks_.push_back(news); }
  void on_verdict(const Verdict& verdict) override;
  void on_pass(Nanos now, std::string_view phase) override;

  // As it is shown.
  [[nodiscard]] const LiveState& state() const { return state_; }

 private:
  void take_figures();
  void show();

  Console& console_;
  Options options_;
  LiveState state_;
  FigureSeconds seconds_;
  Nanos started_ns_ = 0;
  Nanos next_draw_ns_ = 0;
  std::map<std::string, std::string> standing_;  // class by incident
  std::set<std::string> dropouts_;               // loads in one
  std::vector<MarkNews> marks_;
  bool window_ = false, over_ = false;
};

}  // namespace stallproof
