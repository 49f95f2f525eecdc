// SPDX-License-Identifier: Apache-2.0
#include "harness/run/preflight/preflight.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/base/bounded.h"
#include "harness/base/directory.h"
#include "harness/base/fd.h"
#include "harness/base/kernel_setting.h"
#include "harness/base/units.h"
#include "harness/run/undo_journal.h"

namespace stallproof {
namespace {

constexpr std::size_t kTasksNamed = 5;
constexpr Nanos kAnswerWithin = 5 * kSecond;

void append(const std::vector<std::string>& lines, std::vector<std::string>& to) {
  to.insert(to.end(), lines.begin(), lines.end());
}

std::string existing_part(std::string path) {
  while (path.size() > 1 && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    const std::size_t slash = path.rfind('/');
    path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
  return path;
}

// In a child, for the disk may not answer.
int write_free_bytes(const std::string& path, int into) {
  struct statvfs room {};
  if (::statvfs(existing_part(path).c_str(), &room) != 0) return errno;
  const std::string text = std::to_string(room.f_bavail * room.f_frsize);
  return ::write(into, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : EIO;
}

std::string lacking(const RoomNeeded& need) {
  const auto free = free_bytes_at(need.path);
  if (!free) return fmt::format("{} (where {} shall go)", free.error().what, need.what_for);
  if (*free >= need.bytes) return {};
  return fmt::format("{}: {} MiB are free, {} need {} MiB (free some space)", need.path,
                     *free >> 20U, need.what_for, need.bytes >> 20U);
}

std::optional<long> number_of(const std::string& path) {
  const auto text = setting_now(path);
  long number = 0;
  if (!text) return std::nullopt;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  return failed == std::errc{} && end == text->data() + text->size() ? std::optional(number)
                                                                     : std::nullopt;
}

}  // namespace

PreflightPlaces places_of_this_machine() { return {.runtime = runtime_directory()}; }

std::vector<std::string> hanging_tasks(Nanos span, const std::string& proc_root, const Wait& wait) {
  std::vector<std::string> lines;
  const auto blocked = tasks_blocked_for(span, proc_root, wait);
  for (std::size_t i = 0; i < std::min(blocked.size(), kTasksNamed); ++i)
    lines.push_back(
        fmt::format("{} {} (process {}) is in D and has not run for {} (what it waits for: "
                    "stallproof explain --live)",
                    blocked[i].name, blocked[i].tid, blocked[i].tgid, format_duration(span)));
  if (blocked.size() > kTasksNamed)
    lines.push_back(fmt::format("{} more tasks are in D", blocked.size() - kTasksNamed));
  return lines;
}

std::vector<std::string> runs_in_the_way(const std::string& runtime) {
  std::vector<std::string> lines;
  for (const std::string& name : names_in(runtime)) {
    if (name.front() == '.') continue;
    const std::string run = runtime + "/" + name;
    const Fd journal(::open((run + "/journal").c_str(), O_RDONLY | O_CLOEXEC));
    if (!journal.valid() && errno == ENOTDIR) continue;
    const bool lives = journal.valid() && ::flock(journal.get(), LOCK_SH | LOCK_NB) != 0;
    lines.push_back(lives ? fmt::format("a run goes on: {} (wait for its end)", name)
                          : fmt::format("{}: left by an earlier run, and cannot be undone (a "
                                        "reboot ends what cannot be killed)",
                                        run));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> kernel_settings_in_the_way(const std::string& proc_root) {
  std::vector<std::string> lines;
  const std::string kernel = proc_root + "/sys/kernel/";
  // Where the kernel does not look for hung tasks, neither says anything.
  if (number_of(kernel + "hung_task_timeout_secs").value_or(0) == 0) return lines;
  if (number_of(kernel + "hung_task_panic").value_or(0) != 0)
    lines.emplace_back(
        "kernel.hung_task_panic is set: a stall would crash the node (sysctl -w "
        "kernel.hung_task_panic=0)");
  if (number_of(kernel + "hung_task_warnings").value_or(-1) == 0)
    lines.emplace_back(
        "kernel.hung_task_warnings is spent: tasks have hung since boot, and the kernel reports "
        "no more of them (sysctl -w kernel.hung_task_warnings=10)");
  return lines;
}

Result<std::uint64_t> free_bytes_at(const std::string& path) {
  const BoundedText answer = text_bounded(
      [&path](int into) { return write_free_bytes(path, into); }, Deadline::in(kAnswerWithin));
  if (answer.error != 0) return fail_errno(path, answer.error, {}, Origin::infra);
  std::uint64_t free = 0;
  std::from_chars(answer.text.data(), answer.text.data() + answer.text.size(), free);
  return free;
}

std::vector<std::string> missing_room(const std::vector<RoomNeeded>& rooms) {
  std::vector<std::string> lines;
  for (const RoomNeeded& need : rooms)
    if (std::string line = lacking(need); !line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> look_at_node(const PreflightNeeds& needs, const PreflightPlaces& places,
                                      const Wait& wait) {
  std::vector<std::string> lines = runs_in_the_way(places.runtime);
  append(kernel_settings_in_the_way(places.proc), lines);
  append(missing_room(needs.rooms), lines);
  append(hanging_tasks(needs.blocked_for, places.proc, wait), lines);
  return lines;
}

}  // namespace stallproof
