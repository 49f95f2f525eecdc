// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/dropout.h"

#include <algorithm>

namespace stallproof {
namespace {

// Of what is in the ring.
std::uint64_t median_of(const std::array<std::uint64_t, Dropout::kHistory>& ring,
                        std::size_t written) {
  static std::array<std::uint64_t, Dropout::kHistory> scratch;
  const std::size_t count = std::min(written, ring.size());
  if (count == 0) return 0;
  std::copy_n(ring.begin(), count, scratch.begin());
  const auto middle = scratch.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(scratch.begin(), middle, scratch.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

// 2 s, and as long as it usually takes to complete so many that their absence is no chance.
Nanos least_duration(std::uint64_t median) {
  const Nanos missed =
      Dropout::kMinMissed * Dropout::kWindowBuckets * Dropout::kBucket / std::max<Nanos>(median, 1);
  return std::max(Dropout::kMinDuration, missed);
}

}  // namespace

void Dropout::check(const SystemView& view, FindingList& out) {
  for (std::size_t i = 0; i < view.load_count; ++i) {
    LoadState& state = states_[i];
    if (view.loads[i].last_done_ns == 0 || view.after_gap) {
      state.last_bucket_ns = view.now_ns;
      state.buckets = 0;
      continue;
    }
    // Ticks jitter around the bucket's length: a tick that comes a little early still ends it.
    if (view.now_ns + kBucket / 4 < state.last_bucket_ns + kBucket) continue;
    state.last_bucket_ns = view.now_ns;
    end_bucket(i, view, out);
  }
}

void Dropout::end_bucket(std::size_t load, const SystemView& view, FindingList& out) {
  LoadState& state = states_[load];
  const std::uint64_t total = view.loads[load].ops;
  const std::size_t ring = state.totals.size();
  const std::uint64_t before = state.totals[(state.buckets + 1) % ring];
  state.totals[state.buckets % ring] = total;
  ++state.buckets;
  if (state.buckets <= kWindowBuckets) return;
  judge(load, total - before, view, out);
}

void Dropout::judge(std::size_t index, std::uint64_t window, const SystemView& view,
                    FindingList& out) {
  LoadState& state = states_[index];
  const std::uint64_t median =
      state.window_count >= kMinHistory ? median_of(state.windows, state.window_count) : 0;
  const std::uint64_t in_flight = view.loads[index].in_flight;
  const double ratio = median > 0 ? static_cast<double>(window) / static_cast<double>(median) : 1.0;
  const bool offered = is_offered(state, in_flight);
  const double below = thresholds_.of(index).dropout_below;
  if (median == 0 || ratio >= below || !offered) {
    if (state.reported) end_dropout(index, view.now_ns, out);
    state.low_since_ns = 0;
    state.min_ratio = 1;
    // A straggler in a pause is not what this load is like.
    if (median != 0 && ratio < below && in_flight > 0) return;
    state.in_flight[state.window_count % kHistory] = in_flight;
    state.windows[state.window_count++ % kHistory] = window;
    return;
  }
  if (state.low_since_ns == 0) {
    // The window fell under the limit now, so throughput fell at its begin; where it stopped
    // altogether the last completion is the better begin.
    const Nanos last = view.loads[index].last_done_ns;
    const bool stopped = last + kBucket < view.now_ns;
    state.low_since_ns = stopped ? last : view.now_ns - kWindowBuckets * kBucket;
  }
  state.min_ratio = std::min(state.min_ratio, ratio);
  if (state.reported || view.now_ns < state.low_since_ns + least_duration(median)) return;
  state.reported = true;
  out.add({.kind = FindingKind::dropout_begin,
           .load = static_cast<std::uint32_t>(index),
           .since_ns = state.low_since_ns,
           .ratio = state.min_ratio});
}

void Dropout::end_dropout(std::size_t index, Nanos now_ns, FindingList& out) {
  LoadState& state = states_[index];
  out.add({.kind = FindingKind::dropout_end,
           .load = static_cast<std::uint32_t>(index),
           .since_ns = state.low_since_ns,
           .until_ns = now_ns,
           .ratio = state.min_ratio});
  state.reported = false;
}

void Dropout::close_all(Nanos now_ns, FindingList& out) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].reported) end_dropout(i, now_ns, out);
    states_[i].low_since_ns = 0;
    states_[i].buckets = 0;
  }
}

bool Dropout::is_offered(const LoadState& state, std::uint64_t in_flight) {
  return in_flight > 0 && 2 * in_flight >= median_of(state.in_flight, state.window_count);
}

}  // namespace stallproof
