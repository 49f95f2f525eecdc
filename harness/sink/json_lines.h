// SPDX-License-Identifier: Apache-2.0
// --json-lines: one JSON object a line on stdout: every event of the run as it is recorded, its
// figures once a second, and at the end the verdict (written by the console itself).
#pragma once

#include <string>

#include "harness/sink/console.h"
#include "harness/sink/live_console.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

// Rates are those between the two; `started_ns`: what t_ms counts from.
std::string figures_json(const RunFigures& before, const RunFigures& now, Nanos started_ns);

class JsonLines final : public RunListener, public PassListener {
 public:
  explicit JsonLines(Console& console) : console_(console) {}
  void on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) override;
  void on_verdict(const Verdict&) override { over_ = true; }
  void on_pass(Nanos now, std::string_view phase) override;

 private:
  Console& console_;
  FigureSeconds seconds_;
  Nanos started_ns_ = 0;
  bool over_ = false;
};

}  // namespace stallproof
