// SPDX-License-Identifier: Apache-2.0
// Progress of load that is not ours: from samples of its threads to the loads of a SystemView, so
// that the same detectors judge it. One process with file work is one load; processes beyond the
// room share the last one. Processes of a canary are one load together, in the last row.
//
// A thread does file work when it is seen at it. One that is seen at nothing, because its calls are
// short and rare, is taken for one while its count of calls grows, unless it was seen at a pipe,
// socket or terminal.
//
// In flight is a thread that sleeps for a file system and has not moved since an earlier sample; it
// is as old as its sleep. Progress is what threads with file work complete; one that does less than
// 1/64 of its process's recent work (a logger beside a load) neither proves nor hides anything. A
// process that worked steadily and completes nothing, while nobody of it is seen blocked, is only
// suspected (DESIGN section 6); not even that while a thread with file work computes, as one does
// whose mapped file is all in memory. Pure; fixed memory; watchdog's loop.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "harness/detect/system_view.h"
#include "harness/probe/thread_sample.h"

namespace stallproof {

struct TargetLoad {
  std::int32_t tgid = 0;  // 0: free; -1: the one that processes share for which there is no room
  std::array<char, 16> comm{};
  std::uint32_t threads = 0;
  std::uint32_t io_threads = 0;
  std::uint64_t ops = 0;
  Nanos last_done_ns = 0;
  Nanos blocked_since_ns = 0;    // of the thread that sleeps longest in a file system; 0: none
  Nanos suspected_since_ns = 0;  // 0: not suspected
  bool file_work_seen = false;
};

// The row of a canary's processes, where there is one.
inline constexpr std::uint32_t kCanaryRow = kMaxLoads - 1;
inline constexpr std::size_t kCanaryProcesses = 8;

class TargetProgress {
 public:
  // `canary_stall_after`: of the canary's row; 0: no row is kept for one.
  explicit TargetProgress(Nanos stall_after, Nanos canary_stall_after = 0);
  // From now on these processes are the canary's; what has no room is a load as others are.
  void set_canary(std::span<const std::int32_t> tgids);
  // Fills view.loads and view.blocked from what was sampled at `view.now_ns`.
  void update(std::span<const ThreadSample> samples, SystemView& view);
  // Without the canary's.
  [[nodiscard]] std::span<const TargetLoad> loads() const { return {loads_.data(), load_count_}; }
  // Threads for which there was no room.
  [[nodiscard]] std::uint64_t overflow() const { return overflow_; }

 private:
  struct Thread {
    std::int32_t tid = 0;
    std::uint32_t load = 0;  // index + 1; 0: its process does no file work (yet)
    std::uint64_t start = 0, completed = 0, switches = 0, place = 0;
    std::uint64_t recent = 0;  // completed, halved every few seconds
    std::uint64_t epoch = 0;   // up to which it is halved
    std::uint64_t sample = 0;  // number of the sample that saw it last
    Nanos since_ns = 0;        // asleep without a move since then
    Nanos io_seen_ns = 0;      // last taken for one that does file work; 0: never
    Nanos other_seen_ns = 0;   // last seen at a pipe, socket or terminal; 0: never
    Nanos user_ns = 0;         // as sampled
    Nanos computed_ns = 0;     // last seen to spend its time in user mode; 0: never
  };
  struct Activity {
    Nanos second_ns = 0;        // start of the second that is being counted
    std::uint32_t history = 0;  // bit per second: something was completed
    bool worked = false;
    std::uint64_t recent = 0;
    std::uint64_t epoch = 0;
  };

  Thread* find(std::int32_t tid);
  void begin_sample(Nanos now);
  void add(const ThreadSample& sample, Nanos now);
  static void note_work(Thread& thread, const ThreadSample& sample, bool grew, Nanos now);
  void start_thread(Thread& thread, const ThreadSample& sample, Nanos now) const;
  // Counts them; true when they prove that the load moves.
  bool count(Thread& thread, std::size_t load, std::uint64_t done, Nanos now);
  [[nodiscard]] bool has_moved(const Thread& thread, const ThreadSample& sample, Nanos now) const;
  std::uint32_t load_of(const Thread& thread, const ThreadSample& sample);
  [[nodiscard]] bool is_of_canary(std::int32_t tgid) const;
  [[nodiscard]] std::size_t room() const { return kMaxLoads - (keeps_canary_row() ? 1 : 0); }
  [[nodiscard]] bool keeps_canary_row() const { return canary_stall_after_ != 0; }
  [[nodiscard]] Nanos stall_after(std::size_t load) const {
    return keeps_canary_row() && load == kCanaryRow ? canary_stall_after_ : stall_after_;
  }
  void note_completions(Thread& thread, const ThreadSample& sample, Nanos now);
  [[nodiscard]] bool computes(const Thread& thread, Nanos now) const;
  void note_wait(const Thread& thread, const ThreadSample& sample, std::size_t load, Nanos now);
  void finish_load(std::size_t load, SystemView& view);
  void judge_quiet(std::size_t load, Nanos now);

  static constexpr std::size_t kThreads = 2 * kMaxSampledThreads;  // power of two, half empty
  Nanos stall_after_, canary_stall_after_;
  std::array<std::int32_t, kCanaryProcesses> canary_{};
  std::unique_ptr<std::array<Thread, kThreads>> threads_;
  std::array<TargetLoad, kMaxLoads> loads_{};
  std::array<LoadView, kMaxLoads> views_{};
  std::array<Activity, kMaxLoads> activity_{};
  std::array<std::uint32_t, kMaxLoads> idle_{};  // threads that could have been seen blocked
  std::array<bool, kMaxLoads> computing_{};
  std::size_t load_count_ = 0;
  BlockedView blocked_;
  std::uint64_t sample_ = 8;  // an entry that was never used is then older than any that is
  Nanos last_ns_ = 0;         // time of the sample before
  std::uint64_t overflow_ = 0;
};

}  // namespace stallproof
