// SPDX-License-Identifier: Apache-2.0
// The paragraph for people: who holds what and where, who queues, why nobody passes, why the
// service can never answer, and what of it is inferred.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesShown = 6;

class Teller {
 public:
  explicit Teller(const Story& story) : story_(story), scene_(story.scene) {}

  std::string tell() {
    if (story_.stall_class == kNoStall)
      return "Nothing is stuck: no lock has a settled queue and no request is overdue.";
    if (!story_.telling.empty()) say(story_.telling);
    if (story_.lock != kNone) {
      tell_holders();
      tell_queue();
      tell_services_in_queue();
    } else if (story_.telling.empty()) {
      tell_requests();
    }
    tell_idle();
    if (story_.deadlock.cycle.empty())
      tell_no_cycle();
    else
      tell_cycle();
    tell_unknown();
    tell_inferred();
    return text_;
  }

 private:
  const SceneLock& lock() const { return scene_.locks[story_.lock]; }
  const SceneTask& task(std::size_t index) const { return scene_.tasks[index]; }
  bool proven() const { return !story_.deadlock.cycle.empty(); }
  void say(const std::string& sentence) { text_ += (text_.empty() ? "" : " ") + sentence; }

  static std::string_view mark(Certainty certainty) {
    if (certainty == Certainty::inferred) return " (inferred)";
    return certainty == Certainty::likely ? " (likely)" : "";
  }

  static std::string where(const SceneTask& task) {
    const TaskReading& reading = task.reading;
    if (reading.doing == Doing::page_fault)
      return fmt::format("in a page fault ({})", reading.doing_function);
    if (reading.doing != Doing::other)
      return fmt::format("in {} ({})", doing_name(reading.doing), reading.doing_function);
    return reading.wait_function.empty() ? std::string{"at a place this lens does not show"}
                                         : fmt::format("in {}", reading.wait_function);
  }

  std::string what_for(const SceneTask& task) const {
    if (task.pool != kNone) {
      const ScenePool& pool = scene_.pools[task.pool];
      const SceneRequest& request = pool.requests[task.request];
      return fmt::format("sleeps in {} until {} answers{}", task.reading.wait_function,
                         pool_label(pool), mark(request.certainty));
    }
    if (task.lock != kNone) return "waits for " + lock_label(scene_, scene_.locks[task.lock]);
    return wait_words(task.reading);
  }

  void tell_holders() {
    const std::string label = lock_label(scene_, lock());
    const std::string address = lock().address == 0 ? "; the lock's address is unknown" : "";
    if (lock().holders.empty()) {
      say(fmt::format("Nobody seen holds the {}, yet tasks wait for it{}.", label, address));
      return;
    }
    const auto first =
        std::find_if(lock().holders.begin(), lock().holders.end(),
                     [this](const SceneHolder& holder) { return holder.task == story_.holder; });
    say(fmt::format("{} holds the {} for {}{}, {}, and {}{}.", task_label(task(first->task)), label,
                    mode_name(first->mode), mark(first->certainty), where(task(first->task)),
                    what_for(task(first->task)), address));
    std::vector<std::string> others;
    for (const SceneHolder& holder : lock().holders)
      if (holder.task != story_.holder)
        others.push_back(task_label(task(holder.task)) + std::string{mark(holder.certainty)});
    if (!others.empty())
      say(fmt::format("{} hold{} it for {} as well.", join_names(others, kNamesShown),
                      others.size() == 1 ? "s" : "", mode_name(first->mode)));
  }

  std::string readers_behind(std::size_t from) const {
    std::size_t readers = 0;
    std::size_t by_address = 0;
    for (std::size_t place = from; place < lock().waiters.size(); ++place) {
      if (lock().waiters[place].mode != LockMode::read) continue;
      ++readers;
      if (!task(lock().waiters[place].task).seen) ++by_address;
    }
    const std::string known =
        by_address == 0 ? "" : fmt::format(" ({} of them known by task address only)", by_address);
    return fmt::format("{} reader{}{}", readers, readers == 1 ? "" : "s", known);
  }

  void tell_queue() {
    if (lock().kind == LockKind::mutex) return tell_waiters();
    const std::size_t writer = lock().first_writer();
    if (writer == kNone) {
      say(fmt::format("{} wait{} for it, no writer among them.", readers_behind(0),
                      lock().waiters.size() == 1 ? "s" : ""));
      return;
    }
    const SceneTask& first = task(lock().waiters[writer].task);
    say(fmt::format("{} is the first queued writer, {}{}.", task_label(first), where(first),
                    mark(lock().waiters[writer].certainty)));
    if (writer + 1 == lock().waiters.size()) return;
    say(fmt::format(
        "{} queue{} behind it: an rwsem is fair, so no reader passes a queued writer{}.",
        readers_behind(writer + 1), lock().waiters.size() - writer == 2 ? "s" : "",
        lock().holders.empty() || lock().holders.front().mode == LockMode::write
            ? ""
            : ", although the lock is held for reading only"));
  }

  void tell_waiters() {
    std::vector<std::string> names;
    for (const SceneWaiter& waiter : lock().waiters) names.push_back(task_label(task(waiter.task)));
    say(fmt::format("{} wait{} for it.", join_names(names, kNamesShown),
                    names.size() == 1 ? "s" : ""));
  }

  void tell_services_in_queue() {
    std::vector<std::string> names;
    std::string_view function;
    std::size_t pool = kNone;
    for (const SceneWaiter& waiter : lock().waiters) {
      const SceneTask& service = task(waiter.task);
      if (service.serves == kNone) continue;
      pool = service.serves;
      names.push_back(task_label(service));
      if (function.empty()) function = service.reading.client_lock.function;
    }
    if (names.empty()) return;
    say(
        fmt::format("{} of the queue are threads of {}{}: they need the client's lock before they "
                    "can answer anybody.",
                    join_names(names, kNamesShown), pool_label(scene_.pools[pool]),
                    function.empty() ? "" : fmt::format(", in {}", function)));
  }

  void tell_requests() {
    for (const std::size_t p : story_.pools) {
      const ScenePool& pool = scene_.pools[p];
      std::vector<std::string> clients;
      for (const SceneRequest& request : pool.requests)
        clients.push_back(task_label(task(request.task)));
      say(fmt::format("{} wait{} for {} to answer.", join_names(clients, kNamesShown),
                      clients.size() == 1 ? "s" : "", pool_label(pool)));
      if (pool.members.empty()) {
        say("No thread that could answer was seen.");
        continue;
      }
      std::vector<std::string> threads;
      for (const SceneMember& member : pool.members)
        if (task(member.task).reading.wait != Wait::idle)
          threads.push_back(fmt::format("{} ({})", task_label(task(member.task)),
                                        task(member.task).reading.wait == Wait::hand_over
                                            ? "only hands requests over"
                                            : what_for(task(member.task))));
      if (!threads.empty()) say(fmt::format("Its threads: {}.", join_names(threads, kNamesShown)));
    }
  }

  // With a lock to tell about, only the service its holder waits for; another stall may stand too.
  bool concerns(std::size_t pool) const {
    return story_.holder == kNone || task(story_.holder).pool == pool;
  }

  void tell_idle() {
    std::vector<std::string> names;
    FsMatch idle;
    for (const std::size_t p : story_.pools)
      for (const SceneMember& member : scene_.pools[p].members)
        if (concerns(p) && task(member.task).serves == p &&
            task(member.task).reading.wait == Wait::idle &&
            (!proven() || story_.deadlock.unable[member.task])) {
          names.push_back(task_label(task(member.task)));
          idle = task(member.task).reading.idle;
        }
    if (names.empty()) return;
    const std::string who = fmt::format("{} {} idle in {}", join_names(names, kNamesShown),
                                        names.size() == 1 ? "is" : "are", idle.function);
    if (proven())
      say(fmt::format(
          "{}, which does not save the {}: while it waits, idle threads take no job, so "
          "jobs are bound to threads (inferred).",
          who, story_.lock != kNone ? "holder" : "request"));
    else
      say(who + " and could still take a job.");
  }

  void tell_cycle() {
    std::vector<std::string> steps;
    for (const CycleStep& step : story_.deadlock.cycle) {
      if (step.kind == CycleStep::Kind::task) steps.push_back(task_label(task(step.index)));
      if (step.kind == CycleStep::Kind::pool) steps.push_back(pool_label(scene_.pools[step.index]));
    }
    steps.push_back(steps.front());
    say(fmt::format(
        "So the circle is closed and can never open by itself: {}, each waiting for the "
        "next.",
        fmt::join(steps, " -> ")));
  }

  void tell_no_cycle() {
    if (story_.lock == kNone || story_.holder == kNone) {
      if (story_.lock != kNone) say("Without the holder no cycle can be proven.");
      return;
    }
    const SceneTask& holder = task(story_.holder);
    if (holder.pool == kNone) {
      const Wait wait = holder.reading.wait;
      if (wait != Wait::thaw && wait != Wait::user_fault && holder.lock == kNone)
        say(fmt::format("No cycle is proven: {}.", wait == Wait::running
                                                       ? "the holder runs"
                                                       : "what the holder waits for is not known"));
    } else {
      tell_free_servers(scene_.pools[holder.pool]);
    }
  }

  void tell_free_servers(const ScenePool& pool) {
    std::vector<std::string> free;
    for (const SceneMember& member : pool.members)
      if (!story_.deadlock.stuck_tasks[member.task] &&
          task(member.task).reading.wait != Wait::hand_over)
        free.push_back(task_label(task(member.task)) +
                       (task(member.task).row->halt == Halt::none ? "" : " (stopped)"));
    if (free.empty())
      say("No cycle is proven: no thread that must answer was seen blocked by this lock.");
    else
      say(fmt::format("No cycle is proven: {} could still answer.", join_names(free, kNamesShown)));
  }

  void tell_unknown() {
    std::vector<std::string> names;
    for (const std::size_t t : story_.unknown)
      if (t != story_.holder)
        names.push_back(fmt::format("{} ({})", task_label(task(t)), unknown_wait(task(t).reading)));
    if (!names.empty())
      say(fmt::format("Blocked for a reason not known here: {}.", join_names(names, kNamesShown)));
  }

  void tell_inferred() {
    const bool holder_inferred =
        story_.lock != kNone &&
        std::any_of(lock().holders.begin(), lock().holders.end(), [](const SceneHolder& holder) {
          return holder.certainty == Certainty::inferred;
        });
    std::vector<std::string> inferred;
    if (holder_inferred) inferred.emplace_back("who holds the lock (from the holder's stack)");
    if (story_.lock != kNone && !lock().order_known)
      inferred.emplace_back("the queue and its order (from the waiters' stacks)");
    if (!story_.pools.empty() && proven())
      inferred.emplace_back("which threads serve which request (from names and stacks)");
    if (!inferred.empty()) say(fmt::format("Inferred: {}.", fmt::join(inferred, "; ")));
  }

  const Story& story_;
  const Scene& scene_;
  std::string text_;
};

}  // namespace

std::string summary_of(const Story& story) { return Teller(story).tell(); }

}  // namespace stallproof
