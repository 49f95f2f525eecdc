// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/process_tree.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

// Calls `visit` with the number each entry of a folder is named by, until it says no. False: it
// did.
bool each_number(const std::string& folder, const std::function<bool(long)>& visit) {
  const OpenDirectory dir = open_directory(folder);
  if (!dir) return true;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    if (!visit(std::strtol(entry->d_name, nullptr, 10))) return false;
  }
  return true;
}

// The number after "KEY:" at the start of a line; nothing when there is no such line.
std::optional<long> field_of(const std::string& text, const std::string& key) {
  const std::string mark = key + ":";
  std::size_t at = text.starts_with(mark) ? 0 : text.find("\n" + mark);
  if (at == std::string::npos) return std::nullopt;
  at += mark.size() + (at == 0 ? 0 : 1);
  return std::strtol(text.c_str() + at, nullptr, 10);
}

std::optional<long> status_field(const std::string& proc_root, long pid, const std::string& key) {
  const auto text = read_file(fmt::format("{}/{}/status", proc_root, pid), 16U << 10U);
  return text ? field_of(*text, key) : std::nullopt;
}

std::vector<pid_t> numbers_in(const std::string& text) {
  std::vector<pid_t> numbers;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const long number = std::strtol(at, &end, 10);
    if (end == at) break;
    numbers.push_back(static_cast<pid_t>(number));
    at = end;
  }
  return numbers;
}

bool has_children_files(const std::string& proc_root) {
  return ::access(fmt::format("{0}/{1}/task/{1}/children", proc_root, ::getpid()).c_str(), R_OK) ==
         0;
}

std::vector<pid_t> children_of(pid_t pid, const std::string& proc_root, Deadline deadline) {
  std::vector<pid_t> children;
  const std::string tasks = fmt::format("{}/{}/task", proc_root, pid);
  each_number(tasks, [&](long tid) {
    if (const auto text = read_file(fmt::format("{}/{}/children", tasks, tid)))
      for (const pid_t child : numbers_in(*text)) children.push_back(child);
    return !deadline.passed();
  });
  return children;
}

// A children file for each of very many threads takes longer than a look at every process.
constexpr nlink_t kManyThreads = 1000;

bool has_many_threads(pid_t pid, const std::string& proc_root) {
  struct stat info {};
  return ::stat(fmt::format("{}/{}/task", proc_root, pid).c_str(), &info) == 0 &&
         info.st_nlink > kManyThreads;  // a link for each thread: fs/proc/base.c proc_task_getattr
}

// Without children files: every process names its parent.
std::multimap<pid_t, pid_t> all_parents(const std::string& proc_root, Deadline deadline) {
  std::multimap<pid_t, pid_t> children;
  each_number(proc_root, [&](long pid) {
    if (const auto parent = status_field(proc_root, pid, "PPid"))
      children.emplace(static_cast<pid_t>(*parent), static_cast<pid_t>(pid));
    return !deadline.passed();
  });
  return children;
}

bool has_open(long pid, std::uint32_t mount_id, const std::string& proc_root, Deadline deadline) {
  const std::string folder = fmt::format("{}/{}/fdinfo", proc_root, pid);
  bool found = false;
  each_number(folder, [&](long fd) {
    const auto text = read_file(fmt::format("{}/{}", folder, fd), 4U << 10U);
    found = text && field_of(*text, "mnt_id") == static_cast<long>(mount_id);
    return !found && !deadline.passed();
  });
  return found;
}

}  // namespace

ProcessList descendants_of(pid_t root, Nanos limit, const std::string& proc_root,
                           const std::vector<pid_t>& without) {
  const Deadline deadline = Deadline::in(limit);
  const bool files = has_children_files(proc_root);
  std::optional<std::multimap<pid_t, pid_t>> parents;
  std::set<pid_t> known(without.begin(), without.end());
  known.insert(root);
  ProcessList list{.tgids = {root}};
  for (std::size_t i = 0; i < list.tgids.size(); ++i) {
    std::vector<pid_t> children;
    if (files && !has_many_threads(list.tgids[i], proc_root)) {
      children = children_of(list.tgids[i], proc_root, deadline);
    } else {
      if (!parents) parents = all_parents(proc_root, deadline);
      const auto range = parents->equal_range(list.tgids[i]);
      for (auto each = range.first; each != range.second; ++each) children.push_back(each->second);
    }
    for (const pid_t child : children)
      if (known.insert(child).second) list.tgids.push_back(child);
  }
  if (deadline.passed())
    list.problem = fmt::format("not all descendants of {} were found in time", root);
  return list;
}

ProcessList users_of_mount(std::uint32_t mount_id, Nanos limit, const std::string& proc_root) {
  const Deadline deadline = Deadline::in(limit);
  ProcessList list;
  each_number(proc_root, [&](long pid) {
    if (has_open(pid, mount_id, proc_root, deadline)) list.tgids.push_back(static_cast<pid_t>(pid));
    return !deadline.passed();
  });
  if (deadline.passed()) list.problem = "not all users of the mount were found in time";
  return list;
}

Result<ProcessList> members_of_cgroup(const std::string& directory) {
  const auto text = read_file(directory + "/cgroup.procs");
  if (!text)
    return fail(fmt::format("{}: not a cgroup: {} (a path as in /proc/PID/cgroup)", directory,
                            text.error().what));
  ProcessList list{.tgids = numbers_in(*text)};
  // 0 stands for a process of another pid namespace (cgroup_procs_show, 4.14 and later).
  if (std::erase(list.tgids, 0) > 0) list.problem = "some members are in another pid namespace";
  return list;
}

pid_t thread_group_of(pid_t tid, const std::string& proc_root) {
  return static_cast<pid_t>(status_field(proc_root, tid, "Tgid").value_or(0));
}

std::string name_of_process(pid_t pid, const std::string& proc_root) {
  const auto text = read_file(fmt::format("{}/{}/status", proc_root, pid), 16U << 10U);
  if (!text || !text->starts_with("Name:\t")) return {};
  return text->substr(6, text->find('\n') - 6);
}

}  // namespace stallproof
