// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watchdog_rescue.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "harness/base/directory.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kLate = 250 * kMillisecond;  // of ticks of 100 ms, and before it is a gap
constexpr Nanos kLookAgain = 100 * kMillisecond;
constexpr Nanos kBackAfter = 30 * kSecond;  // without a late sign of life

// The CPU of a thread that is ready to run; proc(5): field 3 is its state, field 39 its CPU.
std::optional<int> cpu_it_queues_for(const std::string& thread) {
  const auto stat = read_file(thread + "/stat", 4096);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 39 && fields >> field; ++number) {
    if (number == 3 && field != "R") return std::nullopt;
    if (number == 39) return std::atoi(field.c_str());
  }
  return std::nullopt;
}

// Time on a CPU (kernel/sched/stats.c; needs CONFIG_SCHED_INFO).
std::optional<std::uint64_t> ran_ns(const std::string& thread) {
  const auto text = read_file(thread + "/schedstat", 256);
  if (!text || text->empty()) return std::nullopt;
  return std::strtoull(text->c_str(), nullptr, 10);
}

}  // namespace

bool WatchdogRescue::serve(pid_t watchdog, Nanos silent, Nanos now) {
  if (silent < kLate) {
    queued_.clear();
    give_back(now);
    return false;
  }
  if (watchdog <= 0 || now < next_ns_) return false;
  next_ns_ = now + kLookAgain;
  bool moved = false;
  const std::string threads = fmt::format("/proc/{}/task", watchdog);
  for (const std::string& name : numbers_in(threads)) {
    const pid_t thread = std::atoi(name.c_str());
    const auto cpu = cpu_it_queues_for(threads + "/" + name);
    const auto ran = ran_ns(threads + "/" + name);
    if (!cpu || !ran) {
      queued_.erase(thread);
      continue;
    }
    const Look look{*cpu, *ran};
    const auto before = queued_.find(thread);
    if (before != queued_.end() && before->second == look) moved |= move(thread, *cpu, now);
    queued_[thread] = look;
  }
  return moved;
}

// To where the controller itself may run.
bool WatchdogRescue::move(pid_t thread, int cpu, Nanos now) {
  cpu_set_t had, allowed;
  CPU_ZERO(&had);
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(thread, sizeof had, &had) != 0) return false;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  CPU_CLR(static_cast<unsigned>(cpu), &allowed);
  if (CPU_COUNT(&allowed) == 0) return false;
  if (::sched_setaffinity(thread, sizeof allowed, &allowed) != 0) return false;
  had_.emplace(thread, had);
  moved_ns_ = now;
  moved_from_ = cpu;
  return true;
}

void WatchdogRescue::give_back(Nanos now) {
  if (had_.empty() || now < moved_ns_ + kBackAfter) return;
  for (const auto& [thread, had] : had_) ::sched_setaffinity(thread, sizeof had, &had);
  had_.clear();
}

}  // namespace stallproof
