// SPDX-License-Identifier: Apache-2.0
// Which I/O a stream makes next: read or write, how large, where. What the threads of a file share
// of a stream (its sequential positions) is StreamState; what each has of its own is a Chooser.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/prng.h"
#include "workloads/io/io_job.h"

namespace stallproof {

struct IoRequest {
  std::uint32_t stream = 0;
  bool write = false;
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  Nanos due = 0;  // when it was to begin; 0: at once
};

class StreamState {
 public:
  StreamState(const JobStream& stream, const JobFile& file);

  [[nodiscard]] const JobStream& job() const { return job_; }
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_relaxed); }
  // True for the one caller that ended it.
  bool end() { return !ended_.exchange(true); }

 private:
  friend class Chooser;
  // A range with a position in it for sequential I/O.
  struct alignas(64) Part {
    std::uint64_t low = 0, high = 0;
    std::atomic<std::uint64_t> next{0};
  };

  JobStream job_;
  std::uint64_t file_size_, align_, largest_;
  std::vector<std::unique_ptr<Part>> parts_;  // of misses
  Part hits_;
  std::atomic<bool> ended_{false};
};

// One thread.
class Chooser {
 public:
  // `index` among the threads of the file decides which part of a stream it works on.
  Chooser(std::uint64_t seed, unsigned index) : prng_(seed), index_(index) {}

  // Chooses for that one of the file's I/Os in flight from now on.
  void serve(unsigned index) { index_ = index; }
  // Nothing when the stream has come to its end.
  std::optional<IoRequest> choose(StreamState& stream);

 private:
  [[nodiscard]] bool chance(double percent);
  [[nodiscard]] std::uint32_t choose_size(const StreamState& stream);
  [[nodiscard]] std::uint64_t random_offset(const StreamState& stream, StreamState::Part& part,
                                            std::uint32_t size);
  [[nodiscard]] std::uint64_t random_block(const StreamState& stream, std::uint64_t blocks);
  // False at the end of a stream that stops there; may shorten `size`.
  static bool sequential_offset(const StreamState& stream, StreamState::Part& part,
                                std::uint64_t& offset, std::uint32_t& size);
  [[nodiscard]] std::uint64_t strided_offset(const StreamState& stream, StreamState::Part& part,
                                             std::uint32_t size);

  Prng prng_;
  unsigned index_;
};

}  // namespace stallproof
