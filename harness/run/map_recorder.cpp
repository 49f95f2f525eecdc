// SPDX-License-Identifier: Apache-2.0
#include "harness/run/map_recorder.h"

#include <string.h>

#include <optional>
#include <utility>

#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kCloneThread = 0x00010000;

std::optional<MapCall> call_of(std::uint32_t kind) {
  switch (kind) {
    case MAP_EVENT_MMAP:
      return MapCall::mmap;
    case MAP_EVENT_MUNMAP:
      return MapCall::munmap;
    case MAP_EVENT_MPROTECT:
      return MapCall::mprotect;
    case MAP_EVENT_MADVISE:
      return MapCall::madvise;
    case MAP_EVENT_BRK:
      return MapCall::brk;
    case MAP_EVENT_MREMAP:
      return MapCall::mremap;
    case MAP_EVENT_CLONE:
      return MapCall::clone;
    case MAP_EVENT_EXIT:
      return MapCall::exit;
    default:
      return std::nullopt;
  }
}

std::string text_of(const char (&comm)[16]) { return {comm, ::strnlen(comm, sizeof comm)}; }

bool fits(std::uint64_t address, std::uint64_t length) {
  return address < kMapEnd && length <= kMapEnd - address;
}

}  // namespace

MapRecorder::MapRecorder(Start start) : start_(std::move(start)) {}

bool MapRecorder::full() const {
  return profile_.operations.size() >= kMaxProfileCalls || profile_.threads >= kMaxProfileThreads;
}

void MapRecorder::begin_again(const MapEvent& exec) {
  start_.comm = text_of(exec.comm);
  if (exec.time_ns > start_.monotonic) start_.realtime += exec.time_ns - start_.monotonic;
  start_.monotonic = exec.time_ns;
  profile_ = {};
  threads_.clear();
  other_programs_.clear();
  beyond_ = 0;
}

std::uint32_t MapRecorder::thread_of(std::uint32_t tid) {
  const auto [place, is_new] = threads_.try_emplace(tid, profile_.threads);
  if (is_new) ++profile_.threads;
  return place->second;
}

void MapRecorder::take(const MapEvent& event) {
  if (event.kind == MAP_EVENT_EXEC) return begin_again(event);
  if (event.kind == MAP_EVENT_OTHER_EXEC) {
    other_programs_.insert(text_of(event.comm));
    return;
  }
  if (full()) return;
  if (!fits(event.address, event.length) || !fits(event.from_address, event.from_length)) {
    ++beyond_;
    return;
  }
  add(event);
}

void MapRecorder::add(const MapEvent& event) {
  const auto call = call_of(event.kind);
  if (!call) return;
  MapOperation operation{.address = event.address,
                         .length = event.length,
                         .flags = event.flags,
                         .from_address = event.from_address,
                         .from_length = event.from_length,
                         .thread = thread_of(event.tid),
                         .prot = event.prot,
                         .call = *call};
  if (event.time_ns > start_.monotonic) operation.at_us = (event.time_ns - start_.monotonic) / 1000;
  if (*call == MapCall::madvise) operation.flags &= UINT32_MAX;  // an int for the kernel
  if (*call == MapCall::clone) add_clone(event, operation);
  // The number may soon be another thread's.
  if (*call == MapCall::exit) threads_.erase(event.tid);
  profile_.operations.push_back(operation);
}

void MapRecorder::add_clone(const MapEvent& event, MapOperation& operation) {
  if ((event.flags & kCloneThread) == 0) {
    ++profile_.left_out;
    return;
  }
  threads_.erase(event.child);  // its end was lost
  operation.child = thread_of(event.child);
}

MapProfile MapRecorder::finish(Nanos until, std::uint64_t lost, std::uint64_t failed) {
  profile_.comm = start_.comm;
  profile_.kernel = start_.kernel;
  profile_.started = format_rfc3339(start_.realtime);
  if (until > start_.monotonic) profile_.duration_us = (until - start_.monotonic) / 1000;
  profile_.lost = lost + beyond_;
  profile_.failed = failed;
  return std::move(profile_);
}

}  // namespace stallproof
