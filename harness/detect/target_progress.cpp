// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/target_progress.h"

#include <algorithm>
#include <bit>

namespace stallproof {
namespace {

constexpr Nanos kIoMemory = 60 * kSecond;  // a thread that did file work that long ago still counts
constexpr std::uint64_t kShare = 64;       // less than 1/64 of its load's work proves nothing
// blk_io_schedule wakes direct I/O twice per hung-task timeout (block/blk-core.c, 6.1 to 6.18) only
// to hide it from the kernel's own detector: a rare switch at the same place is no move.
constexpr Nanos kRewake = 15 * kSecond;
constexpr std::uint64_t kRewakeSwitches = 2;
constexpr std::size_t kProbes = 64;
constexpr Nanos kHalfLife = 8 * kSecond;
constexpr std::uint32_t kRecentSeconds = 0x1f;
constexpr int kSteadySeconds = 3;
constexpr Nanos kComputing = 16;  // user mode for 1/16 of the time: little beside many, much asleep

void decay(std::uint64_t& count, std::uint64_t& epoch, Nanos now) {
  const std::uint64_t reached = now / kHalfLife;
  count >>= std::min<std::uint64_t>(reached - std::min(epoch, reached), 63);
  epoch = reached;
}

}  // namespace

TargetProgress::TargetProgress(Nanos stall_after, Nanos canary_stall_after)
    : stall_after_(stall_after),
      canary_stall_after_(canary_stall_after),
      threads_(std::make_unique<std::array<Thread, kThreads>>()) {}

void TargetProgress::set_canary(std::span<const std::int32_t> tgids) {
  canary_.fill(0);
  std::copy_n(tgids.begin(), std::min(tgids.size(), canary_.size()), canary_.begin());
}

bool TargetProgress::is_of_canary(std::int32_t tgid) const {
  return keeps_canary_row() && std::find(canary_.begin(), canary_.end(), tgid) != canary_.end();
}

void TargetProgress::update(std::span<const ThreadSample> samples, SystemView& view) {
  begin_sample(view.now_ns);
  for (const ThreadSample& sample : samples)
    if (sample.tid != 0) add(sample, view.now_ns);
  view.load_count = load_count_;
  for (std::size_t i = 0; i < load_count_; ++i) finish_load(i, view);
  if (keeps_canary_row() && loads_[kCanaryRow].tgid != 0) {
    for (; view.load_count < kCanaryRow; ++view.load_count) view.loads[view.load_count] = {};
    ++view.load_count;
    finish_load(kCanaryRow, view);
  }
  view.blocked = blocked_;
  last_ns_ = view.now_ns;
}

void TargetProgress::begin_sample(Nanos now) {
  ++sample_;
  blocked_ = BlockedView{.scanned_ns = now};
  for (std::size_t i = 0; i < kMaxLoads; ++i) {
    views_[i] = LoadView{};
    idle_[i] = 0;
    computing_[i] = false;
    loads_[i].threads = loads_[i].io_threads = 0;
    loads_[i].blocked_since_ns = 0;
  }
}

// Entries of threads that are gone are taken over; nothing is ever removed, so a search may end at
// the first entry that was never used.
TargetProgress::Thread* TargetProgress::find(std::int32_t tid) {
  Thread* free = nullptr;
  for (std::size_t probe = 0; probe < kProbes; ++probe) {
    const std::size_t at = (static_cast<std::uint32_t>(tid) * 2654435761U + probe) % kThreads;
    Thread& thread = (*threads_)[at];
    if (thread.tid == tid) return &thread;
    if (free == nullptr && thread.sample + 2 < sample_) free = &thread;
    if (thread.tid == 0) break;
  }
  return free;
}

void TargetProgress::start_thread(Thread& thread, const ThreadSample& sample, Nanos now) const {
  thread = Thread{.tid = sample.tid,
                  .start = sample.start,
                  .completed = sample.completed,
                  .switches = sample.switches,
                  .place = sample.place,
                  .since_ns = sample.ran_ns != 0 ? sample.ran_ns : now,
                  .user_ns = sample.user_ns};
}

bool TargetProgress::has_moved(const Thread& thread, const ThreadSample& sample, Nanos now) const {
  if (sample.completed != thread.completed) return true;
  if (sample.switches == thread.switches) return false;
  return sample.place != thread.place || now < thread.since_ns + kRewake ||
         sample.switches > thread.switches + kRewakeSwitches;
}

void TargetProgress::add(const ThreadSample& sample, Nanos now) {
  Thread* const thread = find(sample.tid);
  if (thread == nullptr) {
    ++overflow_;
    return;
  }
  const bool known = thread->tid == sample.tid && thread->start == sample.start;
  if (!known) start_thread(*thread, sample, now);
  const bool moved = known && has_moved(*thread, sample, now);
  if (moved) thread->since_ns = std::max(sample.ran_ns != 0 ? sample.ran_ns : now, last_ns_);
  if (sample.user_ns > thread->user_ns &&
      (sample.user_ns - thread->user_ns) * kComputing >= now - last_ns_)
    thread->computed_ns = now;
  note_work(*thread, sample, known && sample.completed > thread->completed, now);
  thread->sample = sample_;
  if (thread->load == 0) thread->load = load_of(*thread, sample);
  if (thread->load != 0) {
    TargetLoad& load = loads_[thread->load - 1];
    load.comm = load.tgid == sample.tid ? sample.comm : load.comm;
    load.file_work_seen = load.file_work_seen || sample.file_work;
    ++load.threads;
    if (moved) note_completions(*thread, sample, now);
    if (thread->io_seen_ns != 0 && now < thread->io_seen_ns + kIoMemory) {
      ++load.io_threads;
      if (sample.wait != ThreadWait::excluded) ++idle_[thread->load - 1];
      if (computes(*thread, now)) computing_[thread->load - 1] = true;
    }
    if (known && !moved && sample.wait == ThreadWait::file_system)
      note_wait(*thread, sample, thread->load - 1, now);
  }
  thread->completed = sample.completed;
  thread->switches = sample.switches;
  thread->user_ns = sample.user_ns;
  thread->place = sample.place;
}

void TargetProgress::note_work(Thread& thread, const ThreadSample& sample, bool grew, Nanos now) {
  if (sample.other_work) thread.other_seen_ns = now;
  const bool elsewhere = thread.other_seen_ns != 0 && now < thread.other_seen_ns + kIoMemory;
  if (sample.file_work || sample.wait == ThreadWait::file_system || (grew && !elsewhere))
    thread.io_seen_ns = now;
}

// Index + 1 of the load its process is, which becomes one with its first file work.
std::uint32_t TargetProgress::load_of(const Thread& thread, const ThreadSample& sample) {
  if (is_of_canary(sample.tgid)) {
    loads_[kCanaryRow].tgid = sample.tgid;
    return kCanaryRow + 1;
  }
  for (std::uint32_t i = 0; i < load_count_; ++i)
    if (loads_[i].tgid == sample.tgid) return i + 1;
  if (thread.io_seen_ns == 0) return 0;
  if (load_count_ == room()) return static_cast<std::uint32_t>(load_count_);
  const bool shared = load_count_ + 1 == room();
  loads_[load_count_] = TargetLoad{.tgid = shared ? -1 : sample.tgid,
                                   .comm = shared ? std::array<char, 16>{"others"} : sample.comm};
  return static_cast<std::uint32_t>(++load_count_);
}

bool TargetProgress::count(Thread& thread, std::size_t load, std::uint64_t done, Nanos now) {
  Activity& activity = activity_[load];
  decay(activity.recent, activity.epoch, now);
  decay(thread.recent, thread.epoch, now);
  thread.recent += done;
  activity.recent += done;
  loads_[load].ops += done;
  return thread.recent * kShare >= activity.recent;
}

void TargetProgress::note_completions(Thread& thread, const ThreadSample& sample, Nanos now) {
  const bool works = thread.io_seen_ns != 0 && now < thread.io_seen_ns + kIoMemory;
  if (!works) return;
  const std::size_t load = thread.load - 1;
  const std::uint64_t done =
      sample.completed > thread.completed ? sample.completed - thread.completed : 0;
  const bool proves = count(thread, load, done, now);
  // Calls that are not counted (stat, open, fsync) show by threads that sleep somewhere new.
  if (!proves || (done == 0 && sample.wait != ThreadWait::file_system)) return;
  const Nanos at = sample.ran_ns != 0 ? std::max(sample.ran_ns, last_ns_) : now;
  loads_[load].last_done_ns = std::max(loads_[load].last_done_ns, std::min(at, now));
  activity_[load].worked = true;
}

bool TargetProgress::computes(const Thread& thread, Nanos now) const {
  return thread.computed_ns != 0 && now < thread.computed_ns + stall_after_;
}

void TargetProgress::note_wait(const Thread& thread, const ThreadSample& sample, std::size_t load,
                               Nanos now) {
  LoadView& view = views_[load];
  ++view.in_flight;
  if (view.oldest_op_started_ns == 0 || thread.since_ns < view.oldest_op_started_ns) {
    view.oldest_op_started_ns = thread.since_ns;
    view.oldest_op_tid = static_cast<std::uint32_t>(sample.tid);
    loads_[load].blocked_since_ns = thread.since_ns;
  }
  if (now < thread.since_ns + stall_after(load)) return;
  ++blocked_.blocked;
  if (now - thread.since_ns <= blocked_.longest_ns) return;
  blocked_.longest_ns = now - thread.since_ns;
  blocked_.first_tid = static_cast<std::uint32_t>(sample.tid);
}

void TargetProgress::finish_load(std::size_t load, SystemView& view) {
  // What has ended no longer stands still.
  if (loads_[load].threads == 0) loads_[load].last_done_ns = view.now_ns;
  views_[load].ops = loads_[load].ops;
  views_[load].last_done_ns = loads_[load].last_done_ns;
  view.loads[load] = views_[load];
  Activity& activity = activity_[load];
  if (view.now_ns >= activity.second_ns + kSecond) {
    activity.history = activity.history << 1U | (activity.worked ? 1U : 0U);
    activity.second_ns = view.now_ns;
    activity.worked = false;
  }
  judge_quiet(load, view.now_ns);
}

void TargetProgress::judge_quiet(std::size_t load, Nanos now) {
  TargetLoad& target = loads_[load];
  const bool quiet = target.file_work_seen && views_[load].in_flight == 0 && idle_[load] > 0 &&
                     !computing_[load] && target.last_done_ns != 0 &&
                     now >= target.last_done_ns + stall_after_;
  if (!quiet) {
    target.suspected_since_ns = 0;
    return;
  }
  const int busy_seconds = std::popcount(activity_[load].history & kRecentSeconds);
  if (target.suspected_since_ns == 0 && busy_seconds >= kSteadySeconds)
    target.suspected_since_ns = target.last_done_ns;
}

}  // namespace stallproof
