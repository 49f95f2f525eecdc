// SPDX-License-Identifier: Apache-2.0
// Which stream of its file a thread serves next, and when. Two ways, as in vdbench: free, where
// each thread takes the streams of its file in turn as fast as its I/Os complete; or paced, where
// one schedule for all streams of the job keeps rates and shares, and a file that does not take its
// I/Os holds up the others once many of them wait. No I/O of a schedule is ever dropped: what a
// stall held up is made afterwards.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "workloads/io/io_stream.h"

namespace stallproof {

// What a thread is told to do.
struct NextIo {
  enum Kind { request, wait, ended } kind = ended;
  IoRequest io;     // request; it begins at io.due
  Nanos until = 0;  // wait: ask again then
};

class IoSource {
 public:
  explicit IoSource(const IoJob& job);
  IoSource(const IoSource&) = delete;
  IoSource& operator=(const IoSource&) = delete;
  virtual ~IoSource() = default;
  // Schedules begin now. Once, before the threads ask.
  virtual void begin(Nanos now) = 0;
  // `turn` is the caller's own, from 0 on, for IoSource to keep.
  virtual NextIo next(std::uint32_t file, Chooser& chooser, std::uint64_t& turn, Nanos now) = 0;
  // Of the same stream, due when `refused` was, which cannot be made now; none when it has ended.
  std::optional<IoRequest> another(const IoRequest& refused, Chooser& chooser);
  [[nodiscard]] std::uint32_t ended_streams() const {
    return ended_.load(std::memory_order_relaxed);
  }

 protected:
  std::vector<std::unique_ptr<StreamState>> streams_;
  void end_stream(StreamState& stream) {
    if (stream.end()) ended_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> ended_{0};
};

std::unique_ptr<IoSource> make_source(const IoJob& job);

// As many I/Os of one file may wait for its threads before the schedule itself waits.
inline constexpr std::size_t kMostWaiting = 2000;

}  // namespace stallproof
