// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_keep.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <set>

#include "harness/base/clock.h"
#include "harness/base/directory.h"
#include "harness/store/history_record.h"
#include "harness/store/night_runs.h"

namespace stallproof {
namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kYoungNs = 30 * kDayNs;  // of a folder, where keep_days does not say it
// What a night writes into its folder; one with anything else in it is not removed.
constexpr std::array kNightFiles{"night.json", "night.txt", "plan.toml", "junit.xml", "summary.md"};
constexpr std::size_t kIdLength = 15;

std::int64_t now_ns() { return static_cast<std::int64_t>(realtime_now()); }

KeepLimits limits_of(const NightPlan& night) {
  KeepLimits limits;
  if (night.keep_days) limits.keep_ns = static_cast<std::int64_t>(*night.keep_days) * kDayNs;
  if (night.keep_gb) limits.keep_bytes = static_cast<std::uint64_t>(*night.keep_gb * 1e9);
  return limits;
}

void remove_runs(const std::vector<KeptRun>& runs, const std::function<void()>& pass,
                 NightKept& kept) {
  for (const KeptRun& run : runs) {
    pass();
    // What it showed stays in the history. Without it, too, the disk must not fill.
    record_in_history(run.directory);
    if (auto removed = remove_run_directory(run.directory); removed) {
      kept.removed.push_back(run.directory);
    } else {
      kept.problems.push_back(removed.error().what);
      kept.bytes += run.bytes;
    }
  }
}

std::vector<std::string> night_folders(const std::string& nights) {
  std::vector<std::string> found = names_in(nights);
  std::erase_if(found, [](const std::string& name) { return !is_night_id(name); });
  return found;
}

bool is_older(const std::string& path, std::int64_t span_ns) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 &&
         now_ns() - static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 > span_ns;
}

// Of those that have no run any more.
void remove_folders(const std::string& nights, const std::set<std::string>& in_use,
                    std::int64_t keep_ns) {
  for (const std::string& id : night_folders(nights)) {
    const std::string folder = nights + "/" + id;
    if (in_use.contains(id) || !is_older(folder, keep_ns)) continue;
    for (const char* file : kNightFiles) ::unlink((folder + "/" + file).c_str());
    ::rmdir(folder.c_str());
  }
}

}  // namespace

NightKept keep_nights(const NightPlan& night, const std::string& state, const std::string& id,
                      const std::function<void()>& pass) {
  NightKept kept;
  const std::string runs = state + "/runs";
  remove_remains(runs, pass);
  std::vector<KeptRun> candidates;
  std::set<std::string> in_use{id};
  for (NightRun& run : find_night_runs(runs)) {
    in_use.insert(run.night);
    run.kept.stays = run.night == id;  // the morning reads it, whatever it holds
    candidates.push_back(std::move(run.kept));
  }
  const KeepLimits limits = limits_of(night);
  Retention chosen = choose_runs_to_remove(std::move(candidates), limits, now_ns());
  kept.bytes = chosen.bytes;
  remove_runs(chosen.remove, pass, kept);
  for (const KeptRun& run : chosen.held_back) kept.only_one.push_back(run.directory);
  if (limits.keep_bytes && kept.bytes > *limits.keep_bytes)
    kept.problems.push_back(fmt::format("{} MB are kept, more than keep_gb = {}",
                                        kept.bytes / 1000000, *night.keep_gb));
  if (limits.keep_ns || limits.keep_bytes)
    remove_folders(state + "/nights", in_use, limits.keep_ns.value_or(kYoungNs));
  return kept;
}

std::string new_night_id() {
  const auto seconds = static_cast<time_t>(realtime_now() / kSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

bool is_night_id(const std::string& name) {
  if (name.size() != kIdLength || name[8] != '-') return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c == '-' || std::isdigit(c) != 0; });
}

}  // namespace stallproof
