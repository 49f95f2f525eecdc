// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/blocker_line.h"

#include <array>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

struct LockPhrase {
  std::string_view words;
  ReportLock lock;
};
constexpr std::array<LockPhrase, 3> kLocks{{{"blocked on a mutex", ReportLock::mutex},
                                            {"blocked on a semaphore", ReportLock::semaphore},
                                            {"blocked on an rw-semaphore", ReportLock::rwsem}}};

// Takes " <reader>" or " <writer>" off the end.
std::optional<LockMode> take_mode(std::string_view& text) {
  for (const auto& [word, mode] : {std::pair{std::string_view("<reader>"), LockMode::read},
                                   std::pair{std::string_view("<writer>"), LockMode::write}}) {
    if (!text.ends_with(word)) continue;
    text.remove_suffix(word.size());
    text = trimmed(text);
    return mode;
  }
  return std::nullopt;
}

bool take_end(std::string_view& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  text = trimmed(text);
  return true;
}

// "likely owned by task java:21 <reader>", "likely last held by task x:1", "…, but the owner is
// not found."
bool read_owner(std::string_view after, ReportOwner& owner) {
  if (after.find("is not found") != std::string_view::npos) return true;
  std::size_t at = after.find(" by task ");
  if (at == std::string_view::npos) return false;
  std::string_view name = trimmed(after.substr(at + 9));
  take_end(name, ".");
  owner.holds = take_mode(name);
  const auto task = task_name(name);
  if (!task) return false;
  owner.task = task->comm;
  owner.pid = task->pid;
  return true;
}

}  // namespace

std::optional<Blocker> blocker_line(std::string_view line) {
  if (!take_start(line, "INFO: task ")) return std::nullopt;
  for (const LockPhrase& phrase : kLocks) {
    const std::size_t at = line.rfind(phrase.words);
    if (at == std::string_view::npos) continue;
    std::string_view waiter = trimmed(line.substr(0, at));
    take_end(waiter, " is");
    Blocker blocker;
    blocker.owner.lock = phrase.lock;
    blocker.owner.waits = take_mode(waiter);
    const auto task = task_name(waiter);
    if (!task || !read_owner(line.substr(at + phrase.words.size()), blocker.owner))
      return std::nullopt;
    blocker.waiter = task->comm;
    blocker.waiter_pid = task->pid;
    return blocker;
  }
  return std::nullopt;
}

}  // namespace stallproof
