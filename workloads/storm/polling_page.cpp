// SPDX-License-Identifier: Apache-2.0
// Profile polling-page: until JDK 9 HotSpot armed a safepoint by taking all access from one page
// and disarmed it by giving read access back, both by the VM thread (JEP 312 ended it). From
// HotSpot's history, not measured.
#include <cmath>

#include "workloads/storm/reserved_memory.h"
#include "workloads/storm/storm_caller.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

// Between two safepoints, which are two calls each: 2 to 200 calls a second.
constexpr Nanos kShortest = 10 * kMillisecond;
constexpr double kShortestToLongest = 100.0;
constexpr Gap kArmed{50'000, 5 * kMillisecond};
constexpr Nanos kIdleLook = 100 * kMillisecond;

double part(Prng& prng) { return static_cast<double>(prng.below(1U << 20U)) / (1U << 20U); }

// Each order of magnitude is as likely as the next: rare safepoints, and streaks of them.
Nanos time_to_next(Prng& prng) {
  return static_cast<Nanos>(static_cast<double>(kShortest) *
                            std::pow(kShortestToLongest, part(prng)));
}

class PollingPage : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { page_ = {}; }

 private:
  void safepoint(StormCaller& caller, Prng& prng) const;

  Pace pace_;  // of safepoints; unlimited: as they come
  ReservedMemory page_;
  CallFailures failures_;
};

Result<> PollingPage::configure(const LoadContext& load) {
  auto pace = Pace::of(load.settings, {}, 2);
  if (!pace) return Failure{pace.error()};
  pace_ = *pace;
  return {};
}

Result<> PollingPage::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  auto page = ReservedMemory::map(kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
  if (!page) return Failure{page.error()};
  page_ = std::move(*page);
  return {};
}

void PollingPage::safepoint(StormCaller& caller, Prng& prng) const {
  caller.make(protect(page_.at(), kPageBytes, PROT_NONE));
  caller.wait_until(caller.ops().now() + kArmed.least + prng.below(kArmed.most - kArmed.least));
  caller.make(protect(page_.at(), kPageBytes, PROT_READ));
}

Result<> PollingPage::run(WorkerContext& ctx) {
  while (ctx.index != 0 && !ctx.stopping()) ctx.pause(kIdleLook);
  keep_exact_time();
  Prng prng(ctx.seed);
  Pace pace = pace_;
  StormCaller caller(ctx, failures_);
  while (caller.wait(pace, prng)) {
    safepoint(caller, prng);
    if (pace.unlimited()) caller.wait_until(caller.ops().now() + time_to_next(prng));
  }
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_polling_page();
std::unique_ptr<Workload> make_polling_page() { return std::make_unique<PollingPage>(); }

}  // namespace stallproof
