// SPDX-License-Identifier: Apache-2.0
// The picture of a run that the main thread paints, scrapes read and the writer saves. One lock of
// this class alone: nothing that makes load knows of it, and nobody holds it while he waits.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/inheriting_mutex.h"
#include "harness/sink/metrics_families.h"

namespace stallproof {

class MetricsKeeper {
 public:
  void begin(const RunNews& news, std::shared_ptr<const FigureSource> source);
  // Figures as they are at the end stay.
  void end(const RunEnd& end, bool interrupted);
  template <class Change>
  void change(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(picture_);
  }
  // The same, with all loads known: a workload may be told of before anybody has read its figures.
  template <class Change>
  void change_with_loads(const Change& change) {
    const std::lock_guard lock(mutex_);
    refresh(0);
    change(picture_);
  }
  [[nodiscard]] MetricFamilies collect();
  [[nodiscard]] bool begun() const;
  [[nodiscard]] bool interrupted() const;
  [[nodiscard]] std::string problem() const;

  // The writer's thread: the files every ten seconds, once more when told to end. `paced`: also the
  // throughput of each second, which needs the figures as often.
  void write_until_told(const std::vector<std::string>& files, bool paced);
  void tell_writer_to_end();
  void note_problem(const std::string& what);
  // False when it has not ended by then.
  bool wait_for_writer(Nanos limit);

 private:
  void refresh(Nanos oldest);
  [[nodiscard]] Nanos rest() const;
  void note_second(Nanos now);
  void save(const std::vector<std::string>& files);

  mutable InheritingMutex mutex_;
  std::condition_variable_any changed_;
  RunPicture picture_;
  std::shared_ptr<const FigureSource> source_;
  Nanos last_second_ns_ = 0;
  Nanos reading_took_ns_ = 0;
  std::string problem_;
  bool interrupted_ = false;
  bool writer_may_end_ = false;
  bool writer_ended_ = false;
};

}  // namespace stallproof
