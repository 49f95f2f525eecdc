// SPDX-License-Identifier: Apache-2.0
// Profile raw: changes the protection of a page of private memory to and fro. Each call takes
// mmap_lock for write (do_mprotect_pkey, mm/mprotect.c, 6.12) and, with mprotect-split=on, splits
// the mapping or merges it again.
#include <vector>

#include "workloads/storm/reserved_memory.h"
#include "workloads/storm/storm_caller.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

// A thread's own mapping when split: the middle page toggles. A page that nobody may touch keeps
// it apart from its neighbours, lest it is merged with them.
constexpr std::size_t kSplitPages = 3;
constexpr std::size_t kApart = 1;

class RawStorm : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { memory_ = {}; }

 private:
  Result<> map_pages(unsigned threads, bool shared, bool split);

  Pace pace_;
  bool shared_ = false, split_ = true;
  ReservedMemory memory_;
  std::vector<std::byte*> toggled_;  // of each thread: one page
  CallFailures failures_;
};

Result<> RawStorm::configure(const LoadContext& load) {
  auto pace = Pace::of(load.settings, {});
  if (!pace) return Failure{pace.error()};
  pace_ = *pace;
  const auto vmas = load.settings.choice("mprotect-vmas", "own", {"own", "shared"});
  if (!vmas) return Failure{vmas.error()};
  const auto split = load.settings.choice("mprotect-split", "on", {"on", "off"});
  if (!split) return Failure{split.error()};
  shared_ = *vmas == "shared";
  split_ = *split == "on";
  return {};
}

Result<> RawStorm::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  return map_pages(load.threads, shared_, split_);
}

// Shared and split, each thread toggles a page between two that nobody does; shared and whole, all
// toggle the same mapping of one page.
Result<> RawStorm::map_pages(unsigned threads, bool shared, bool split) {
  const std::size_t mapped = split ? (shared ? 2 * std::size_t{threads} + 1 : kSplitPages) : 1;
  const std::size_t stride = mapped + kApart;
  const std::size_t mappings = shared ? 1 : threads;
  auto memory = ReservedMemory::map((kApart + mappings * stride) * kPageBytes, PROT_NONE,
                                    MAP_PRIVATE | MAP_ANONYMOUS);
  if (!memory) return Failure{memory.error()};
  memory_ = std::move(*memory);
  std::byte* const first = memory_.at() + kApart * kPageBytes;
  for (std::size_t i = 0; i < mappings; ++i) {
    std::byte* const mapping = first + i * stride * kPageBytes;
    if (::mprotect(mapping, mapped * kPageBytes, PROT_READ | PROT_WRITE) != 0)
      return fail_errno("mprotect-storm: keep mappings apart", errno,
                        "fewer threads, or raise vm.max_map_count");
  }
  for (std::size_t i = 0; i < threads; ++i) {
    const std::size_t in_mapping = split ? (shared ? 2 * i + 1 : 1) : 0;
    toggled_.push_back(first + ((shared ? 0 : i * stride) + in_mapping) * kPageBytes);
  }
  return {};
}

Result<> RawStorm::run(WorkerContext& ctx) {
  if (!pace_.unlimited()) keep_exact_time();
  Prng prng(ctx.seed);
  Pace pace = pace_;
  StormCaller caller(ctx, failures_);
  MemoryCall call = protect(toggled_[ctx.index], kPageBytes, PROT_READ | PROT_WRITE);
  while (caller.wait(pace, prng)) {
    call.protection ^= PROT_WRITE;
    caller.make(call);
  }
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_raw_storm();
std::unique_ptr<Workload> make_raw_storm() { return std::make_unique<RawStorm>(); }

}  // namespace stallproof
