// SPDX-License-Identifier: Apache-2.0
#include "harness/run/series/series_recorder.h"

#include <fmt/format.h>

namespace stallproof {

SeriesRecorder::SeriesRecorder(Setup setup)
    : in_(std::move(setup)),
      loads_(in_.run, in_.board, in_.evidence.area()),
      around_(in_.run, in_.evidence.area()),
      windows_(in_.run, "series/windows.csv", "start_ms,end_ms,kind,text\n") {}

void SeriesRecorder::begin(Nanos started, Nanos now) {
  started_ns_ = started;
  next_ns_ = now + kSecond;
  names_ = in_.load_names();
  loads_.begin(started, now, names_);
  around_.begin(started);
  windows_.append("");
}

void SeriesRecorder::serve(Nanos now, const std::vector<IncidentRecord>& incidents) {
  if (next_ns_ == ~Nanos{0}) return;  // not begun
  if (now >= next_ns_) {
    // Load that is not ours comes and goes.
    if (in_.board == nullptr) names_ = in_.load_names();
    windows_.serve(now);
    next_ns_ = now + kSecond / 2;
  }
  loads_.serve(now, names_);
  around_.serve(now, incidents, names_);
}

void SeriesRecorder::note_window(Nanos start, Nanos end, std::string_view kind,
                                 std::string_view text) {
  const auto ms = [this](Nanos at) {
    return at > started_ns_ ? (at - started_ns_) / kMillisecond : 0;
  };
  windows_.append(fmt::format("{},{},{},{}\n", ms(start), ms(end), kind, csv_text(text)));
}

void SeriesRecorder::close(Nanos now, const std::vector<IncidentRecord>& incidents) {
  if (next_ns_ == ~Nanos{0}) return;
  if (in_.board == nullptr) names_ = in_.load_names();
  loads_.serve(now, names_);
  loads_.close();
  around_.close(now, incidents, names_);
  windows_.close();
  next_ns_ = ~Nanos{0};
}

}  // namespace stallproof
