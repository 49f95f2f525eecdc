// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>

#include "harness/base/open_directory.h"
#include "harness/store/history.h"
#include "harness/store/history_insert.h"

namespace stallproof {
namespace {

bool is_hidden_or_link(const std::string& folder, const dirent& entry) {
  if (entry.d_name[0] == '.' || entry.d_type == DT_LNK) return true;
  if (entry.d_type != DT_UNKNOWN) return entry.d_type != DT_DIR;
  struct stat info {};
  return ::lstat((folder + "/" + entry.d_name).c_str(), &info) != 0 || !S_ISDIR(info.st_mode);
}

// Real directories only: `latest` is a link to one of them.
std::vector<std::string> directories_in(const std::string& folder) {
  std::vector<std::string> found;
  const OpenDirectory open = open_directory(folder);
  if (!open) return found;
  while (const dirent* entry = ::readdir(open.get()))
    if (!is_hidden_or_link(folder, *entry)) found.push_back(folder + "/" + entry->d_name);
  return found;
}

struct Known {
  std::int64_t stamp_ns = 0;
  bool ended = false;
};

std::unordered_map<std::string, Known> known_directories(Database& database) {
  std::unordered_map<std::string, Known> known;
  Statement rows = database.prepare("SELECT directory, stamp_ns, state FROM run");
  while (rows.step()) {
    const std::string_view state = rows.view(2);
    known[rows.text(0)] = {rows.whole(1), state != "unfinished" && state != "unreadable"};
  }
  return known;
}

std::vector<std::string> to_read(Database& database, const std::string& runs) {
  std::vector<std::string> wanted;
  const auto known = known_directories(database);
  for (std::string& directory : directories_in(runs)) {
    const auto found = known.find(directory);
    if (found == known.end()
            ? !is_run_directory(directory)
            : found->second.ended || verdict_stamp_ns(directory) == found->second.stamp_ns)
      continue;
    wanted.push_back(std::move(directory));
  }
  std::sort(wanted.begin(), wanted.end());
  return wanted;
}

// A run directory, or a folder of them.
void add_given(const std::string& given, std::vector<std::string>& into) {
  const std::string path = real_path(given);
  if (is_run_directory(path)) return into.push_back(path);
  for (std::string& directory : directories_in(path))
    if (is_run_directory(directory)) into.push_back(std::move(directory));
}

void sort_once(std::vector<std::string>& paths) {
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
}

}  // namespace

Result<History::Found> History::pick_up() {
  Found found;
  const auto wanted = to_read(database_, real_path(state_ + "/runs"));
  if (auto failed = failure(); !failed) return Failure(failed.error());
  if (wanted.empty()) return found;
  const auto leave_out = [&](const std::string& why) {
    found.left_out = fmt::format("{} (runs not in it: {})", why, wanted.size());
    return found;
  };
  if (!keeps_what_it_adds()) return leave_out(history_file(state_) + ": cannot be written");
  Transaction transaction(database_);
  if (database_.trouble() == Database::Trouble::locked) return leave_out(database_.forgive());
  HistoryInsert insert(database_);
  for (const std::string& directory : wanted) insert.put(read_history_entry(directory));
  transaction.commit();
  if (auto failed = failure(); !failed) return Failure(failed.error());
  found.added = wanted.size();
  return found;
}

Result<History::Rebuilt> History::rebuild(const std::vector<std::string>& elsewhere) {
  if (!can_write_) return fail(history_file(state_) + ": cannot be written");
  Rebuilt rebuilt;
  std::vector<std::string> wanted;
  add_given(state_ + "/runs", wanted);
  for (const std::string& given : elsewhere) {
    const std::size_t before = wanted.size();
    add_given(given, wanted);
    if (wanted.size() == before)
      return fail(given + ": neither a run directory nor a folder of them");
  }
  Transaction transaction(database_);
  for (const auto& [directory, known] : known_directories(database_))
    (is_run_directory(directory) ? wanted : rebuilt.gone).push_back(directory);
  sort_once(wanted);
  std::sort(rebuilt.gone.begin(), rebuilt.gone.end());
  database_.execute("DELETE FROM label; DELETE FROM stall; DELETE FROM load; DELETE FROM run");
  HistoryInsert insert(database_);
  for (const std::string& directory : wanted) insert.put(read_history_entry(directory));
  transaction.commit();
  if (auto failed = failure(); !failed) return Failure(failed.error());
  rebuilt.runs = static_cast<std::size_t>(database_.number("SELECT count(*) FROM run"));
  return rebuilt;
}

}  // namespace stallproof
