// SPDX-License-Identifier: Apache-2.0
// Profiles jvm-start and jvm-steady: what vdbench's own JVM does to its memory map. The threads of
// the load share the calls of one JVM, each in an arena of its own.
#include <vector>

#include "workloads/storm/jvm_memory.h"
#include "workloads/storm/storm_caller.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

class JvmStorm : public Workload {
 public:
  explicit JvmStorm(bool start) : start_(start) {}
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { memories_.clear(); }

 private:
  bool start_;
  std::vector<JvmCourse> courses_;  // both: one of each thread
  std::vector<JvmMemory> memories_;
  CallFailures failures_;
};

Result<> JvmStorm::configure(const LoadContext& load) {
  const auto course = JvmCourse::of(load.settings, start_, load.threads);
  if (!course) return Failure{course.error()};
  courses_.assign(load.threads, *course);
  return {};
}

Result<> JvmStorm::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  for (unsigned i = 0; i < load.threads; ++i) {
    auto memory = JvmMemory::reserve();
    if (!memory) return Failure{memory.error()};
    memories_.push_back(std::move(*memory));
  }
  return {};
}

Result<> JvmStorm::run(WorkerContext& ctx) {
  keep_exact_time();
  Prng prng(ctx.seed);
  StormCaller caller(ctx, failures_);
  JvmCourse& course = courses_[ctx.index];
  while (!ctx.stopping()) {
    const auto mix = course.mix();
    caller.wait_until(course.next_due(caller.ops().now(), prng));
    if (!ctx.stopping()) caller.make(memories_[ctx.index].next(prng, mix));
  }
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_jvm_start();
std::unique_ptr<Workload> make_jvm_start() { return std::make_unique<JvmStorm>(true); }
std::unique_ptr<Workload> make_jvm_steady();
std::unique_ptr<Workload> make_jvm_steady() { return std::make_unique<JvmStorm>(false); }

}  // namespace stallproof
