// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/victim_params.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

constexpr Nanos kMaxWarmup = 3600 * kSecond;
constexpr std::uint64_t kMaxThreads = 1000;

}  // namespace

Result<Nanos> read_warmup(const Settings& params) {
  const auto warmup = params.duration("warmup", kSecond);
  if (warmup && *warmup > kMaxWarmup)
    return fail(fmt::format("warmup: {} is more than one hour", params.text("warmup", "")));
  return warmup;
}

Result<std::uint32_t> read_threads(const Settings& params, std::uint64_t least) {
  const auto threads = params.count("threads", least);
  if (!threads) return Failure(threads.error());
  if (*threads < least || *threads > kMaxThreads)
    return fail(fmt::format("threads: {} is not between {} and {}", params.text("threads", ""),
                            least, kMaxThreads));
  return static_cast<std::uint32_t>(*threads);
}

}  // namespace stallproof
