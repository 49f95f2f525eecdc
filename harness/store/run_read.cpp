// SPDX-License-Identifier: Apache-2.0
#include "harness/store/run_read.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/base/one_line.h"
#include "harness/store/run_dir.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string text_or_nothing(const std::string& path) {
  auto text = read_file(path);
  return text ? std::move(*text) : std::string();
}

std::vector<std::string> incident_ids(const std::string& directory) {
  std::vector<std::string> ids;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory + "/incidents", error), end;
       !error && entry != end; entry.increment(error))
    if (is_folder(entry->path().string())) ids.push_back(entry->path().filename().string());
  std::sort(ids.begin(), ids.end());
  return ids;
}

void read_incident(StoredRun& run, const std::string& id) {
  const std::string folder = run.directory + "/incidents/" + id;
  const auto keep = [&run](const auto& read) {
    if (!read) run.problems.push_back(read.error().what);
    return read.has_value();
  };
  StoredIncident incident;
  incident.id = id;
  if (exists(folder + "/incident.json")) {
    auto facts =
        parse_incident(text_or_nothing(folder + "/incident.json"), folder + "/incident.json");
    if (keep(facts)) incident = std::move(*facts);
    incident.id = id;
  } else {
    run.problems.push_back(fmt::format("{}: has no incident.json", on_one_line(folder)));
  }
  if (exists(folder + "/explanation.json")) {
    auto told = parse_explanation(text_or_nothing(folder + "/explanation.json"),
                                  folder + "/explanation.json");
    if (keep(told)) incident.explanation = std::move(*told);
  }
  incident.explanation_text = text_or_nothing(folder + "/explanation.txt");
  run.incidents.push_back(std::move(incident));
}

Result<> read_facts(StoredRun& run, Damage damage) {
  const std::string verdict = run.directory + "/verdict.json";
  if (exists(verdict)) {
    auto read = read_verdict(verdict);
    if (read)
      run.verdict = std::move(*read);
    else if (damage == Damage::refused)
      return Failure(read.error());
    else
      run.problems.push_back(read.error().what);
  }
  const std::string environment = run.directory + "/env.json";
  if (exists(environment)) {
    auto read = parse_environment(text_or_nothing(environment), environment);
    if (read)
      run.environment = std::move(*read);
    else if (damage == Damage::refused)
      return Failure(read.error());
    else
      run.problems.push_back(read.error().what);
  }
  return {};
}

}  // namespace

Result<std::string> find_run_directory(const std::string& word, const std::string& command) {
  const std::string runs = state_directory() + "/runs";
  if (word == "latest") {
    if (is_folder(runs + "/latest")) return runs + "/latest";
    return fail(fmt::format("{}: no run yet in {}", command, runs));
  }
  if (is_folder(word)) return word;
  const bool name = !word.empty() && word.find('/') == std::string::npos;
  if (name && is_folder(runs + "/" + word)) return runs + "/" + word;
  return fail(
      fmt::format("{}: {}: no such run (give a run directory, or a name in {}; stallproof history "
                  "list tells them)",
                  command, on_one_line(word), runs));
}

Result<StoredRun> read_run(const std::string& directory, Damage damage) {
  StoredRun run;
  run.directory = directory;
  if (!is_folder(directory))
    return fail(fmt::format("{}: no such directory", on_one_line(directory)));
  const bool ours = exists(directory + "/verdict.json") || exists(directory + "/run.id") ||
                    exists(directory + "/events.jsonl");
  if (!ours)
    return fail(
        fmt::format("{}: not a run directory: it has neither verdict.json, run.id nor "
                    "events.jsonl (stallproof history list tells where runs are)",
                    on_one_line(directory)));
  const std::string id = text_or_nothing(directory + "/run.id");
  run.id = id.substr(0, id.find('\n'));
  if (auto facts = read_facts(run, damage); !facts) return Failure(facts.error());
  if (run.verdict && !run.verdict->run.empty()) run.id = run.verdict->run;
  run.plan = text_or_nothing(directory + "/plan.toml");
  for (const std::string& incident : incident_ids(directory)) read_incident(run, incident);
  return run;
}

}  // namespace stallproof
