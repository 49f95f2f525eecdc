// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "harness/base/clock.h"
#include "harness/probe/result_place.h"
#include "harness/run/plan/plan.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

constexpr int kMostNumbers = 999;

std::string time_in_names() {
  const auto seconds = static_cast<time_t>(realtime_now() / kSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:02}{:02}{:02}.{:02}{:02}{:02}", local.tm_year % 100, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

// Only what an execution makes: the directory may hold other things of its owner.
bool is_result(const fs::path& path) {
  constexpr std::array kOurs = {"events.jsonl", "run.id",          "verdict.json", "env.json",
                                "plan.toml",    "manifest.json",   "incidents",    "series",
                                "junit.xml",    "stallproof.prom", "marks.jsonl",  "canary",
                                ".reserve"};
  const std::string name = path.filename().string();
  return path.extension() == ".html" || std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

std::string given_place(const VdbenchOptions& options) {
  return options.out.empty() && options.vdbench_codes ? "output" : options.out;
}

Result<> put_aside(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
    if (is_result(entry.path())) old.push_back(entry.path());
  if (old.empty()) return {};
  std::string into = directory + "/earlier-" + time_in_names();
  for (int n = 2; fs::exists(into, error); ++n)
    into = fmt::format("{}/earlier-{}-{}", directory, time_in_names(), n);
  fs::create_directory(into, error);
  for (const fs::path& path : old) {
    if (!error) fs::rename(path, into / path.filename(), error);
    if (error) return fail(fmt::format("{}: {}: {}", directory, into, error.message()));
  }
  return {};
}

}  // namespace

std::string place_of(const std::string& given) {
  std::error_code error;
  if (given.ends_with(".tod")) return given.substr(0, given.size() - 3) + time_in_names();
  if (!given.ends_with('+')) return given;
  const std::string stem = given.substr(0, given.size() - 1);
  if (!fs::exists(stem, error)) return stem;
  for (int n = 1; n <= kMostNumbers; ++n) {
    const std::string name = fmt::format("{}{:03}", stem, n);
    if (!fs::exists(name, error)) return name;
  }
  return fmt::format("{}.{}", stem, time_in_names());
}

Result<> refuse_vdbench_place(const VdbenchOptions& options,
                              const std::vector<MountEntry>& under_test) {
  std::string place = given_place(options);
  if (place.empty()) place = state_directory() + "/runs";
  return refuse_place_on_target(place, [&under_test](const MountEntry& mount) {
    return std::any_of(under_test.begin(), under_test.end(), [&mount](const MountEntry& each) {
      return each.device_major == mount.device_major && each.device_minor == mount.device_minor;
    });
  });
}

Result<RunDir> prepare_run_dir(const VdbenchOptions& options) {
  std::string out = given_place(options);
  if (!out.empty()) {
    out = place_of(out);
    if (run_is_held(out))
      return fail(out + ": another run writes there now (give a new directory with -o)");
    if (auto moved = put_aside(out); !moved) return Failure(moved.error());
  }
  return RunDir::create({.out = out,
                         .name_stem = "vdbench",
                         .labels = options.labels,
                         .thresholds = run_thresholds(options.thresholds)});
}

}  // namespace stallproof
