// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/saved_explanation.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"
#include "harness/cmd/explanation_list.h"

namespace stallproof {
namespace {

const char* file_of(const std::string& format) {
  if (format == "json") return "explanation.json";
  if (format == "dot") return "graph.dot";
  if (format == "svg") return "graph.svg";
  return "explanation.txt";
}

bool is_incident(const std::string& directory) {
  for (const char* name : {"incident.json", "explanation.txt", "explanation.json"})
    if (::access((directory + "/" + name).c_str(), F_OK) == 0) return true;
  return false;
}

std::vector<std::string> incidents_of(const std::string& run) {
  const std::string folder = run + "/incidents";
  std::vector<std::string> incidents;
  const OpenDirectory dir = open_directory(folder);
  if (!dir) return incidents;
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.') incidents.push_back(folder + "/" + entry->d_name);
  std::sort(incidents.begin(), incidents.end());
  return incidents;
}

bool is_run(const std::string& directory) {
  return is_directory(directory + "/incidents") ||
         ::access((directory + "/verdict.json").c_str(), F_OK) == 0;
}

Failure no_incident(const std::string& run) {
  return fail(fmt::format("explain: the run in {} had no incident", run), Origin::infra);
}

// The incident itself, or those of the run, which may be none.
Result<std::vector<std::string>> incidents_at(const std::string& directory) {
  if (is_incident(directory)) return std::vector<std::string>{directory};
  if (is_run(directory)) return incidents_of(directory);
  return fail(
      fmt::format("explain: {} is neither a run directory nor an incident of one "
                  "(DIR/incidents/001)",
                  directory));
}

void add_problem(std::string& problems, const std::string& problem) {
  problems += (problems.empty() ? "" : "; ") + problem;
}

}  // namespace

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<SavedExplanations> read_saved_explanations(const std::string& directory,
                                                  const std::string& format) {
  const auto incidents = incidents_at(directory);
  if (!incidents) return Failure(incidents.error());
  if (incidents->empty()) return no_incident(directory);
  if (format == "svg" && incidents->size() > 1)
    return fail(fmt::format("explain: {} has {} incidents: give one of them (for example {})",
                            directory, incidents->size(), incidents->front()));
  SavedExplanations saved;
  std::vector<std::string> documents;
  for (const std::string& incident : *incidents) {
    const std::string file = incident + "/" + file_of(format);
    const auto content = read_file(file);
    if (!content)
      add_problem(saved.problems, content.error().what);
    else if (format == "json" && !nlohmann::json::accept(*content))
      add_problem(saved.problems, file + ": not JSON, or cut");
    else if (!content->empty())
      documents.push_back(*content);
  }
  if (documents.empty())
    return fail("explain: no explanation was saved: " + saved.problems, Origin::infra);
  auto text = as_one_document(documents, format);
  if (!text) return Failure(text.error());
  saved.text = std::move(*text);
  return saved;
}

Result<SavedSnapshots> find_saved_snapshots(const std::string& directory) {
  SavedSnapshots saved;
  const auto add = [&saved](const std::string& incident) {
    const std::string file = incident + "/snapshot.json";
    if (::access(file.c_str(), R_OK) == 0)
      saved.files.push_back(file);
    else
      add_problem(saved.problems, file + ": " + std::strerror(errno));
  };
  add(directory);
  if (!saved.files.empty()) return saved;
  const auto incidents = incidents_at(directory);
  if (!incidents) return Failure(incidents.error());
  if (incidents->empty()) return no_incident(directory);
  saved.problems.clear();
  for (const std::string& incident : *incidents) add(incident);
  if (!saved.files.empty()) return saved;
  return fail("explain: no snapshot was saved: " + saved.problems, Origin::infra);
}

}  // namespace stallproof
