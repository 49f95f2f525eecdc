// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/lab_words.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

constexpr Nanos kMaxWarmup = 3600 * kSecond;
constexpr Nanos kMaxPause = 900 * kMillisecond;
constexpr std::uint64_t kMaxThreads = 64;

Failure refuse(const Settings& params, const char* name, const std::string& why) {
  return fail(fmt::format("{}: {} {}", name, params.text(name, ""), why));
}

}  // namespace

Result<LabPlan> small_ffs_lab(const Settings& params, unsigned service_threads) {
  const auto warmup = params.duration("warmup", kSecond);
  if (!warmup) return Failure(warmup.error());
  if (*warmup > kMaxWarmup) return refuse(params, "warmup", "is more than one hour");
  const auto pause = params.duration("pause", 300 * kMillisecond);
  if (!pause) return Failure(pause.error());
  if (*pause > kMaxPause) return refuse(params, "pause", "is more than 900ms: it would be a stall");
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.ffs.set("service-threads", std::to_string(service_threads));
  lab.ffs.set("file-size", "64MiB");
  lab.ffs.set("writable", "yes");
  lab.ffs.set("store-size", "16MiB");
  if (params.has("pause")) lab.ffs.set("pause", params.text("pause", ""));
  return lab;
}

Result<std::uint32_t> read_threads(const Settings& params, const char* name, std::uint64_t least) {
  const auto count = params.count(name, 0);
  if (!count) return Failure(count.error());
  if (*count < least || *count > kMaxThreads)
    return refuse(params, name, fmt::format("is not between {} and {}", least, kMaxThreads));
  return static_cast<std::uint32_t>(*count);
}

void add_load(LabPlan& lab, const char* name, std::uint32_t threads) {
  if (threads > 0) lab.loads.push_back({name, threads});
}

}  // namespace stallproof
