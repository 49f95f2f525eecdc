// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/dropout.h"

#include <algorithm>

namespace stallproof {

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
  const std::uint64_t median = state.window_count >= kMinHistory ? median_of(state) : 0;
  const bool offered = view.loads[index].in_flight > 0;
  const double ratio = median > 0 ? static_cast<double>(window) / static_cast<double>(median) : 1.0;
  if (median == 0 || !offered || ratio >= below_) {
    if (state.reported) end_dropout(index, view.now_ns, out);
    state.low_since_ns = 0;
    state.min_ratio = 1;
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
  if (state.reported || view.now_ns < state.low_since_ns + kMinDuration) return;
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

std::uint64_t Dropout::median_of(LoadState& state) {
  static std::array<std::uint64_t, kHistory> scratch;
  const std::size_t count = std::min(state.window_count, kHistory);
  std::copy_n(state.windows.begin(), count, scratch.begin());
  const auto middle = scratch.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(scratch.begin(), middle, scratch.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

}  // namespace stallproof
