// SPDX-License-Identifier: Apache-2.0
#include "harness/store/night_runs.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "harness/base/bounded.h"
#include "harness/base/directory.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/store/history_entry.h"
#include "harness/store/run_dir.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

constexpr Nanos kRemoveWithin = 60 * kSecond;
constexpr int kOpenFolders = 16;
constexpr const char* kRemains = ".removing-";

bool is_real_directory(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::uint64_t bytes_below(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return 0;
  std::uint64_t bytes = static_cast<std::uint64_t>(info.st_blocks) * 512;
  if (!S_ISDIR(info.st_mode)) return bytes;
  for (const std::string& name : names_in(path)) bytes += bytes_below(path + "/" + name);
  return bytes;
}

// Of an incident that was only counted there is one file.
bool has_evidence(const std::string& run, const StoredIncident& incident) {
  return incident.explanation || names_in(run + "/incidents/" + incident.id).size() > 1;
}

std::set<std::string> signatures_in(const StoredRun& run) {
  std::set<std::string> found;
  for (const StoredIncident& incident : run.incidents)
    if (has_evidence(run.directory, incident))
      found.insert(incident.explanation ? incident.explanation->signature : incident.signature);
  return found;
}

// "20261122-140319.418-…", as run_dir.cpp names them.
bool is_run_name(const std::string& name) {
  int day = 0, second = 0, millis = 0, end = 0;
  return std::sscanf(name.c_str(), "%8d-%6d.%3d-%n", &day, &second, &millis, &end) == 3 &&
         end == 20;
}

bool bears_own_name(const std::string& directory, const std::string& name) {
  const auto id = read_file(directory + "/run.id", 4096);
  return id && *id == name + "\n";
}

int remove_one(const char* path, const struct stat*, int, FTW*) {
  return ::remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

// In a child. Returns an errno.
int remove_tree(const std::string& path) {
  const int failed =
      ::nftw(path.c_str(), remove_one, kOpenFolders, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (failed >= 0) return failed;
  return errno == ENOENT ? 0 : errno;
}

}  // namespace

std::vector<NightRun> find_night_runs(const std::string& runs, bool sizes) {
  std::vector<NightRun> found;
  for (const std::string& name : names_in(runs)) {
    const std::string directory = runs + "/" + name;
    if (!is_run_name(name) || !is_real_directory(directory) || !bears_own_name(directory, name) ||
        run_is_held(directory) || verdict_stamp_ns(directory) == 0)
      continue;
    const auto run = read_run(directory, Damage::told);
    if (!run || !run->verdict) continue;
    const auto label = run->verdict->labels.find(kNightLabel);
    if (label == run->verdict->labels.end()) continue;
    found.push_back({.kept = {.directory = directory,
                              .ended_ns = verdict_stamp_ns(directory),
                              .bytes = sizes ? bytes_below(directory) : 0,
                              .signatures = signatures_in(*run)},
                     .night = label->second});
  }
  return found;
}

Result<> remove_run_directory(const std::string& directory) {
  const Fd held(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!held.valid()) return fail_errno("open " + directory, errno);
  if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0)
    return fail_errno("remove " + directory, errno, "somebody uses it");
  const std::size_t slash = directory.rfind('/');
  const std::string remains =
      directory.substr(0, slash + 1) + kRemains + directory.substr(slash + 1);
  if (::rename(directory.c_str(), remains.c_str()) != 0)
    return fail_errno("remove " + directory, errno);
  const int failed =
      run_bounded([&remains] { return remove_tree(remains); }, Deadline::in(kRemoveWithin));
  if (failed != 0) return fail_errno("remove " + remains, failed, "the next night goes on with it");
  return {};
}

void remove_remains(const std::string& runs, const std::function<void()>& pass) {
  const std::string prefix = kRemains;
  for (const std::string& name : names_in(runs)) {
    const std::string path = runs + "/" + name;
    if (!name.starts_with(prefix) || !is_run_name(name.substr(prefix.size())) ||
        !is_real_directory(path))
      continue;
    pass();
    // What cannot be removed now is tried again by the next night.
    run_bounded([&path] { return remove_tree(path); }, Deadline::in(kRemoveWithin));
  }
}

}  // namespace stallproof
