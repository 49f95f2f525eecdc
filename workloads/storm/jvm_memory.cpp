// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/jvm_memory.h"

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr int kWritable = PROT_READ | PROT_WRITE;
constexpr std::size_t kArena = 64 * kMiB;  // glibc's HEAP_MAX_SIZE: an arena grows inside one

constexpr unsigned kStartCalls = 400;
constexpr Nanos kStartGap = 1'250'000;  // 400 in half a second
constexpr Gap kSteadyGap{kSecond / 4, kSecond / 2};

constexpr std::array kStartMix{
    CallShare{4 * kKiB, kWritable, 600},  CallShare{32 * kKiB, kWritable, 100},
    CallShare{8 * kKiB, kWritable, 50},   CallShare{16 * kKiB, PROT_NONE, 50},
    CallShare{16 * kKiB, kWritable, 30},  CallShare{4 * kKiB, PROT_READ, 24},
    CallShare{132 * kKiB, kWritable, 23}, CallShare{64 * kKiB, kWritable, 20},
    CallShare{1 * kMiB, kWritable, 13},   CallShare{0, kWritable, 90}};
constexpr std::array kSteadyMix{
    CallShare{32 * kKiB, kWritable, 600}, CallShare{64 * kKiB, kWritable, 175},
    CallShare{4 * kKiB, kWritable, 135},  CallShare{8 * kKiB, kWritable, 50},
    CallShare{16 * kKiB, PROT_NONE, 20},  CallShare{8 * kKiB, PROT_READ, 10},
    CallShare{16 * kKiB, PROT_READ, 10}};

// More than thirty lengths were seen at a start; these stand for the rare ones.
constexpr std::size_t kLeastOther = 12 * kKiB;
constexpr std::size_t kMostOther = 124 * kKiB;

constexpr unsigned sum(std::span<const CallShare> mix) {
  unsigned all = 0;
  for (const CallShare& share : mix) all += share.per_mille;
  return all;
}
static_assert(sum(kStartMix) == 1000 && sum(kSteadyMix) == 1000);

CallShare draw(Prng& prng, std::span<const CallShare> mix) {
  auto drawn = static_cast<unsigned>(prng.below(1000));
  const auto found = std::find_if(mix.begin(), mix.end(), [&drawn](const CallShare& share) {
    if (drawn < share.per_mille) return true;
    drawn -= share.per_mille;
    return false;
  });
  CallShare share = *found;
  if (share.bytes == 0)
    share.bytes =
        kLeastOther + prng.below((kMostOther - kLeastOther) / kPageBytes + 1) * kPageBytes;
  return share;
}

Gap shared_by(Gap gap, unsigned sharers) { return {gap.least * sharers, gap.most * sharers}; }

}  // namespace

std::span<const CallShare> jvm_start_mix() { return kStartMix; }
std::span<const CallShare> jvm_steady_mix() { return kSteadyMix; }

Result<JvmMemory> JvmMemory::reserve() {
  auto arena = ReservedMemory::map(kArena, PROT_NONE, kReserveFlags);
  if (!arena) return Failure{arena.error()};
  JvmMemory memory;
  memory.arena_ = std::move(*arena);
  return memory;
}

// Writable memory is the arena's next; what becomes unreadable or read-only was written before.
MemoryCall JvmMemory::place(std::size_t bytes, int protection) {
  if (protection != kWritable && used_ >= bytes)
    return protect(arena_.at() + used_ - bytes, bytes, protection);
  const MemoryCall call = protect(arena_.at() + used_, bytes, protection);
  used_ += bytes;
  return call;
}

MemoryCall JvmMemory::next(Prng& prng, std::span<const CallShare> mix) {
  if (postponed_.bytes != 0) return std::exchange(postponed_, MemoryCall{});
  const CallShare share = draw(prng, mix);
  const bool full = used_ + share.bytes > kArena;
  if (full) used_ = 0;
  const MemoryCall call = place(share.bytes, share.protection);
  if (!full) return call;
  postponed_ = call;
  return uncommit(arena_.at(), kArena);
}

JvmCourse::JvmCourse(bool start, unsigned sharers)
    : start_calls_left_(start ? std::max(1U, kStartCalls / sharers) : 0),
      start_(Pace(shared_by({kStartGap, kStartGap}, sharers))),
      steady_(Pace(shared_by(kSteadyGap, sharers))) {}

Result<JvmCourse> JvmCourse::of(const Settings& settings, bool start, unsigned sharers) {
  JvmCourse course(start, sharers);
  const auto first = Pace::of(settings, shared_by({kStartGap, kStartGap}, sharers));
  if (!first) return Failure{first.error()};
  const auto then = Pace::of(settings, shared_by(kSteadyGap, sharers));
  if (!then) return Failure{then.error()};
  course.start_ = *first;
  course.steady_ = *then;
  return course;
}

std::span<const CallShare> JvmCourse::mix() const {
  return start_calls_left_ != 0 ? jvm_start_mix() : jvm_steady_mix();
}

Nanos JvmCourse::next_due(Nanos now, Prng& prng) {
  if (start_calls_left_ == 0) return steady_.next(now, prng);
  --start_calls_left_;
  return start_.next(now, prng);
}

}  // namespace stallproof
