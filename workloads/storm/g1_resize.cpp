// SPDX-License-Identifier: Apache-2.0
// Profile g1-resize: a heap that grows and shrinks all the time. Each mmap takes mmap_lock for
// write and replaces a mapping. The threads of the load share the calls of one JVM.
#include <vector>

#include "workloads/storm/g1_heap.h"
#include "workloads/storm/storm_caller.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

constexpr Nanos kMeasuredGap = kSecond / 1700;

class G1Resize : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { heaps_.clear(); }

 private:
  Pace pace_;
  std::vector<G1Heap> heaps_;
  CallFailures failures_;
};

Result<> G1Resize::configure(const LoadContext& load) {
  const Nanos gap = kMeasuredGap * load.threads;
  auto pace = Pace::of(load.settings, {gap, gap});
  if (!pace) return Failure{pace.error()};
  pace_ = *pace;
  return {};
}

Result<> G1Resize::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  for (unsigned i = 0; i < load.threads; ++i) {
    auto heap = G1Heap::reserve();
    if (!heap) return Failure{heap.error()};
    heaps_.push_back(std::move(*heap));
  }
  return {};
}

Result<> G1Resize::run(WorkerContext& ctx) {
  keep_exact_time();
  Prng prng(ctx.seed);
  Pace pace = pace_;
  StormCaller caller(ctx, failures_);
  while (caller.wait(pace, prng)) caller.make(heaps_[ctx.index].next(prng));
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_g1_resize();
std::unique_ptr<Workload> make_g1_resize() { return std::make_unique<G1Resize>(); }

}  // namespace stallproof
