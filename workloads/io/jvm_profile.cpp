// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/jvm_profile.h"

#include <sys/mman.h>

#include <array>

#include "harness/base/prng.h"

namespace stallproof {
namespace {

constexpr std::size_t kArena = 64U << 20U;  // glibc's HEAP_MAX_SIZE: an arena is grown inside one
constexpr unsigned kStartCalls = 400;
constexpr Nanos kStartGap = 1'250'000;  // 400 in half a second
constexpr Nanos kSteadyGap = 333 * kMillisecond;

struct Growth {
  std::size_t bytes;
  unsigned percent;
};
// Sizes of steady mprotect calls and their shares, measured.
constexpr std::array kGrowth = {Growth{32U << 10U, 60}, Growth{64U << 10U, 18},
                                Growth{4U << 10U, 14}, Growth{8U << 10U, 8}};

std::size_t growth(Prng& prng) {
  auto drawn = static_cast<unsigned>(prng.below(100));
  for (const Growth& each : kGrowth) {
    if (drawn < each.percent) return each.bytes;
    drawn -= each.percent;
  }
  return kGrowth.back().bytes;
}

class Arena {
 public:
  ~Arena() { drop(); }
  // One mprotect; a new arena when this one is full.
  void grow(std::size_t bytes) {
    if (base_ == nullptr || used_ + bytes > kArena) {
      drop();
      void* const memory =
          ::mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) return;
      base_ = static_cast<std::byte*>(memory);
      used_ = 0;
    }
    if (::mprotect(base_ + used_, bytes, PROT_READ | PROT_WRITE) == 0) used_ += bytes;
  }

 private:
  void drop() {
    if (base_ != nullptr) ::munmap(base_, kArena);
    base_ = nullptr;
  }
  std::byte* base_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace

void run_jvm_thread(const WorkerContext& context, std::uint64_t seed) {
  Prng prng(Prng::mix(seed));
  Arena arena;
  for (unsigned call = 0; !context.stopping(); ++call) {
    arena.grow(growth(prng));
    context.sleep_until(monotonic_now() + (call < kStartCalls ? kStartGap : kSteadyGap));
  }
}

}  // namespace stallproof
