// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_pace.h"

namespace stallproof {
namespace {

constexpr Nanos kAskAgain = 200'000;

}  // namespace

FilePace::FilePace(const FileJob& job)
    : job_(job), free_(job.format.wanted || (job.rate <= 0 && job.workloads.size() < 2)) {
  for (const JobFileWorkload& workload : job.workloads) {
    entries_.emplace_back();
    entries_.back().share = workload.share;
    entries_.back().threads = workload.threads;
  }
}

void FilePace::begin(Nanos now) {
  if (free_) return;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    // One with no share of the rate never has its turn.
    entry.ended = entry.share <= 0;
    if (entry.ended) continue;
    if (job_.rate > 0)
      entry.times.emplace(now, job_.rate * entry.share / 100, job_.distribution, job_.seed + i);
    advance(entry);
  }
}

void FilePace::advance(Entry& entry) {
  if (entry.times)
    entry.due = static_cast<double>(entry.times->next());
  else
    entry.due += 1 / entry.share;
}

FilePace::Entry* FilePace::earliest() {
  Entry* found = nullptr;
  for (Entry& entry : entries_)
    if (!entry.ended && (found == nullptr || entry.due < found->due)) found = &entry;
  return found;
}

Turn FilePace::next(std::uint32_t workload, Nanos now) {
  const std::lock_guard<std::mutex> hold(lock_);
  Entry& mine = entries_[workload];
  if (mine.ended) return {.kind = Turn::ended};
  if (free_) return {.kind = Turn::go};
  if (!mine.waiting.empty()) {
    const Nanos due = mine.waiting.front();
    mine.waiting.pop_front();
    return {.kind = Turn::go, .due = due};
  }
  for (;;) {
    Entry& first = *earliest();
    if (&first != &mine && first.waiting.size() >= kMostTurnsWaiting)
      return {.kind = Turn::wait, .until = now + kAskAgain};
    const Nanos due = first.times ? static_cast<Nanos>(first.due) : 0;
    advance(first);
    if (&first == &mine) return {.kind = Turn::go, .due = due};
    first.waiting.push_back(due);
  }
}

bool FilePace::leave(std::uint32_t workload) {
  const std::lock_guard<std::mutex> hold(lock_);
  Entry& entry = entries_[workload];
  if (entry.threads > 0) --entry.threads;
  entry.ended = entry.ended || entry.threads == 0;
  return entry.threads == 0;
}

}  // namespace stallproof
