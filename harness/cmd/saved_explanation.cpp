// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/saved_explanation.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "harness/base/file.h"

namespace stallproof {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

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
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(folder.c_str()));
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

}  // namespace

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<SavedExplanations> read_saved_explanations(const std::string& directory,
                                                  const std::string& format) {
  const bool run = !is_incident(directory);
  if (run && !is_run(directory))
    return fail(fmt::format(
        "explain: {} is neither a run directory nor an incident of one (DIR/incidents/001)",
        directory));
  const auto incidents = run ? incidents_of(directory) : std::vector<std::string>{directory};
  if (format == "svg" && incidents.size() > 1)
    return fail(fmt::format("explain: {} has {} incidents: give one of them (for example {})",
                            directory, incidents.size(), incidents.front()));
  SavedExplanations saved;
  for (const std::string& incident : incidents) {
    const auto content = read_file(incident + "/" + file_of(format));
    if (content)
      saved.text += (saved.text.empty() || format == "json" ? "" : "\n") + *content;
    else
      saved.problems += (saved.problems.empty() ? "" : "; ") + content.error().what;
  }
  if (!saved.text.empty()) return saved;
  return fail(incidents.empty() ? fmt::format("explain: the run in {} had no incident", directory)
                                : "explain: no explanation was saved: " + saved.problems,
              Origin::infra);
}

}  // namespace stallproof
