// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_entry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/json_fields.h"
#include "harness/base/one_line.h"
#include "harness/store/run_read.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfSmallFile = 1U << 20U;

std::string name_of(const std::string& directory) {
  const std::size_t end = directory.find_last_not_of('/');
  const std::string path = directory.substr(0, end == std::string::npos ? 0 : end + 1);
  return path.substr(path.rfind('/') + 1);
}

std::int64_t changed_ns(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * static_cast<std::int64_t>(kSecond) + info.st_mtim.tv_nsec;
}

std::string run_of(const std::string& directory) {
  const auto id = read_file(directory + "/run.id", kMostOfSmallFile);
  std::string run = id ? on_one_line(id->substr(0, id->find('\n'))) : "";
  return run.empty() ? name_of(directory) : run;
}

// "20261122-140319.418-…": in the zone of this machine, which is where it ran.
std::optional<Instant> time_in_name(const std::string& run) {
  tm local{};
  int millis = 0;
  if (std::sscanf(run.c_str(), "%4d%2d%2d-%2d%2d%2d.%3d", &local.tm_year, &local.tm_mon,
                  &local.tm_mday, &local.tm_hour, &local.tm_min, &local.tm_sec, &millis) != 7)
    return std::nullopt;
  local.tm_year -= 1900;
  local.tm_mon -= 1;
  local.tm_isdst = -1;
  const time_t seconds = ::mktime(&local);
  if (seconds == static_cast<time_t>(-1)) return std::nullopt;
  return Instant{.unix_ms = static_cast<std::int64_t>(seconds) * 1000 + millis,
                 .offset_min = static_cast<int>(local.tm_gmtoff / 60)};
}

// Of a run that has not ended: the machine, and where it was asked for, its labels.
void take_environment(const std::string& directory, HistoryEntry& entry) {
  const auto text = read_file(directory + "/env.json", kMostOfSmallFile);
  if (!text) return;
  const auto environment = parse_environment(*text, directory + "/env.json");
  if (!environment) return;
  entry.verdict.node = environment->node;
  entry.verdict.kernel = environment->kernel;
  entry.verdict.tool_version = environment->tool_version;
}

// There from a run's start on; the oldest versions wrote none.
void take_manifest(const std::string& directory, HistoryEntry& entry, std::string& started) {
  const auto text = read_file(directory + "/manifest.json", kMostOfSmallFile);
  if (!text) return;
  const auto document = parse_json_object(*text, directory + "/manifest.json");
  if (!document) return;
  std::string problem;
  JsonFields in(*document, "", problem);
  in.text("node", entry.verdict.node);
  in.text("kernel", entry.verdict.kernel);
  in.text("tool_version", entry.verdict.tool_version);
  in.texts("labels", entry.verdict.labels);
  in.text("started", started);
}

void take_verdict(const std::string& path, HistoryEntry& entry) {
  auto verdict = read_verdict(path);
  if (!verdict) {
    entry.state = "unreadable";
    entry.problem = on_one_line(verdict.error().what);
    return;
  }
  entry.verdict = std::move(*verdict);
  entry.state = outcome_name(entry.verdict.outcome);
  if (!entry.verdict.run.empty()) entry.run = on_one_line(entry.verdict.run);
}

}  // namespace

bool is_run_directory(const std::string& directory) {
  for (const char* name : {"/verdict.json", "/events.jsonl", "/run.id"})
    if (::access((directory + name).c_str(), F_OK) == 0) return true;
  return false;
}

std::int64_t verdict_stamp_ns(const std::string& directory) {
  return changed_ns(directory + "/verdict.json");
}

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
  return real ? std::string(real.get()) : path;
}

HistoryEntry read_history_entry(const std::string& directory) {
  HistoryEntry entry;
  entry.directory = real_path(directory);
  entry.run = run_of(directory);
  // Before it is read: a change in between is seen by the next look.
  entry.stamp_ns = verdict_stamp_ns(directory);
  std::string started;
  if (entry.stamp_ns == 0) {
    entry.state = "unfinished";
    take_environment(directory, entry);
    take_manifest(directory, entry, started);
  } else {
    take_verdict(directory + "/verdict.json", entry);
    started = entry.verdict.started;
  }
  if (const auto stamp = parse_rfc3339(started))
    entry.started = *stamp;
  else if (const auto named = time_in_name(entry.run))
    entry.started = *named;
  else
    entry.started.unix_ms = changed_ns(directory + "/run.id") / 1'000'000;
  return entry;
}

}  // namespace stallproof
