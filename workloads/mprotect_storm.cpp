// SPDX-License-Identifier: Apache-2.0
// The writer of the reported stall: changes the protection of one page of private memory to and
// fro, as a JVM's safepoint page or allocator does. Each call takes mmap_lock for write
// (do_mprotect_pkey, mm/mprotect.c, 6.12) and splits or merges the mapping.
#include <sys/mman.h>

#include <vector>

#include "workloads/catalogue.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kRegion = 3 * kPage;  // the middle page toggles

class MprotectStorm : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override;

 private:
  std::uint64_t rate_ = 0;
  std::vector<std::byte*> regions_;
};

Result<> MprotectStorm::prepare(const LoadContext& load) {
  const auto rate = load.settings.count("mprotect-rate", 0);
  if (!rate) return Failure{rate.error()};
  rate_ = *rate;
  for (unsigned i = 0; i < load.threads; ++i) {
    void* base =
        ::mmap(nullptr, kRegion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return fail_errno("mprotect-storm: map private memory", errno);
    regions_.push_back(static_cast<std::byte*>(base));
  }
  return {};
}

Result<> MprotectStorm::run(WorkerContext& ctx) {
  std::byte* const page = regions_[ctx.index] + kPage;
  bool writable = true;
  Nanos next = monotonic_now();
  while (!ctx.stopping()) {
    writable = !writable;
    {
      OpScope op(ctx.slot, Op::mprotect, reinterpret_cast<std::uint64_t>(page));
      const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
      if (::mprotect(page, kPage, protection) != 0) op.failed();
    }
    if (rate_ == 0) continue;
    next += kSecond / rate_;
    const Nanos now = monotonic_now();
    if (next > now)
      ctx.pause(next - now);
    else
      next = now;  // a delay is not made up for by a burst
  }
  return {};
}

void MprotectStorm::cleanup() noexcept {
  for (std::byte* region : regions_) ::munmap(region, kRegion);
  regions_.clear();
}

constexpr std::string_view kExercises[] = {"mmap_lock.write", "vma.split_merge"};
constexpr WorkloadParameter kParameters[] = {
    {"mprotect-rate", "0", "calls a second for each thread; 0: as fast as possible"},
};

}  // namespace

WorkloadInfo mprotect_storm_workload();
WorkloadInfo mprotect_storm_workload() {
  return {.name = "mprotect-storm",
          .thread_prefix = "mprotect",
          .summary = "protection changes of private memory: a writer on mmap_lock",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<MprotectStorm>()); }};
}

}  // namespace stallproof
