// SPDX-License-Identifier: Apache-2.0
// A story as nodes and edges.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

std::string task_id(const SceneTask& task) {
  return task.row->tid != 0 ? fmt::format("task:{}", task.row->tid)
                            : fmt::format("task:{:#x}", task.row->task_address);
}

std::string pool_id(const ScenePool& pool) {
  return pool.connection != nullptr ? fmt::format("fuse:{}", pool.connection->number)
                                    : fmt::format("fs:{}", pool.fs->name);
}

std::vector<std::string> stack_lines(const TaskRow& row) {
  std::vector<std::string> lines;
  for (const StackFrame& frame : row.stack)
    lines.push_back(frame.module.empty() ? frame.function
                                         : fmt::format("{} [{}]", frame.function, frame.module));
  return lines;
}

class Drawing {
 public:
  Drawing(const Story& story, Explanation& into) : story_(story), scene_(story.scene), into_(into) {
    task_drawn_.assign(scene_.tasks.size(), false);
    pool_drawn_.assign(scene_.pools.size(), false);
    lock_ids_.resize(scene_.locks.size());
    for (const SceneLock& lock : scene_.locks)
      for (const SceneHolder& holder : lock.holders) holders_.insert(holder.task);
  }

  void all() {
    for (const CycleStep& step : story_.deadlock.cycle) draw_step(step);
    if (!story_.deadlock.cycle.empty()) {
      into_.cycle.emplace();
      for (const CycleStep& step : story_.deadlock.cycle) into_.cycle->push_back(id(step));
    }
    if (story_.lock != kNone) lock_and_queue(story_.lock);
    for (const std::size_t lock : story_.other_locks) lock_and_queue(lock);
    place_and_parties();
    for (const std::size_t pool : story_.pools) pool_and_threads(pool);
    for (const std::size_t task : story_.unknown) task_node(task);
    root();
  }

 private:
  std::string id(const CycleStep& step) {
    if (step.kind == CycleStep::Kind::task) return task_id(scene_.tasks[step.index]);
    if (step.kind == CycleStep::Kind::lock) return lock_ids_[step.index];
    return pool_id(scene_.pools[step.index]);
  }

  void draw_step(const CycleStep& step) {
    if (step.kind == CycleStep::Kind::task) task_node(step.index);
    if (step.kind == CycleStep::Kind::lock) lock_node(step.index);
    if (step.kind == CycleStep::Kind::pool) pool_node(step.index);
  }

  // A holder wins over all: what it holds matters more than what it serves.
  Role role_of(std::size_t index) const {
    const SceneTask& task = scene_.tasks[index];
    if (holders_.contains(index)) return Role::holder;
    if (task.lock != kNone)
      return scene_.locks[task.lock].waiters[task.queue_place].mode == LockMode::write
                 ? Role::queued_writer
                 : Role::queued_reader;
    if (task.serves == kNone) return Role::bystander;
    return task.reading.wait == Wait::idle ? Role::idle_service : Role::service;
  }

  std::string note_of(std::size_t index) const {
    const SceneTask& task = scene_.tasks[index];
    if (!task.seen)
      return task.row->tid == 0 ? "only its address is known"
                                : "only its number is known, no stack";
    if (task.serves != kNone && task.reading.wait == Wait::idle) return idle_note(index);
    if (task.reading.wait == Wait::hand_over)
      return "waits on /dev/fuse for the next request: hands over, does not answer";
    if (task.lock != kNone && task.serves != kNone)
      return fmt::format("a thread of {}", pool_label(scene_.pools[task.serves]));
    const bool explained = task.lock != kNone || task.pool != kNone;
    const bool party = std::any_of(story_.parties.begin(), story_.parties.end(),
                                   [index](const StoryParty& each) { return each.task == index; });
    if (explained || party || task.reading.wait == Wait::service || task.reading.wait == Wait::idle)
      return {};
    return wait_words(task.reading);
  }

  std::string idle_note(std::size_t index) const {
    const SceneTask& task = scene_.tasks[index];
    const FsMatch& idle = task.reading.idle;
    const std::string where =
        fmt::format("idle in {} ({})", idle.function, cite(*idle.fs, "idle", *idle.pattern));
    if (!story_.deadlock.unable[index] || story_.deadlock.cycle.empty())
      return where + ": could still take a job";
    const std::string_view why =
        is_post_mortem(scene_.lens)
            ? "it sleeps while other threads of its pool are blocked in this stall"
            : "it slept on while the request waited and others of its pool are blocked";
    return fmt::format("{}: does not save the request, jobs are bound to threads (inferred: {})",
                       where, why);
  }

  void task_node(std::size_t index) {
    if (task_drawn_[index]) return;
    task_drawn_[index] = true;
    const SceneTask& task = scene_.tasks[index];
    into_.nodes.push_back({.id = task_id(task),
                           .kind = NodeKind::task,
                           .label = task_label(task),
                           .comm = task.row->comm,
                           .tid = task.row->tid,
                           .tgid = task.row->tgid,
                           .state = task.row->state,
                           .role = role_of(index),
                           .stack = stack_lines(*task.row),
                           .note = note_of(index)});
  }

  void lock_node(std::size_t index) {
    if (!lock_ids_[index].empty()) return;
    const SceneLock& lock = scene_.locks[index];
    std::string id = "lock:unknown";
    if (lock.mm != 0 && lock.kind == LockKind::mmap_lock)
      id = fmt::format("lock:mm:{:#x}", lock.mm);
    else if (lock.address != 0)
      id = fmt::format("lock:{:#x}", lock.address);
    else if (lock.kind == LockKind::vma_lock)
      id = fmt::format("lock:vma-of-pid:{}", lock.tgid);
    else if (lock.of_directory)
      id = "lock:directory";
    else if (lock.tgid != 0)
      id = fmt::format("lock:mm-of-pid:{}", lock.tgid);
    while (!used_lock_ids_.insert(id).second) id += "'";
    lock_ids_[index] = id;
    std::string note =
        lock.address == 0 ? "address unknown" : fmt::format("at {:#x}", lock.address);
    if (lock.truncated) note += "; its queue is longer than what was read";
    if (!lock.order_known) note += "; the order of its queue is inferred";
    ExplainedNode node;
    node.id = id;
    node.kind = NodeKind::lock;
    node.label = lock_label(scene_, lock);
    node.tgid = lock.tgid;
    node.note = note;
    into_.nodes.push_back(std::move(node));
  }

  void pool_node(std::size_t index) {
    if (pool_drawn_[index]) return;
    pool_drawn_[index] = true;
    const ScenePool& pool = scene_.pools[index];
    ExplainedNode node;
    node.id = pool_id(pool);
    node.kind = pool.connection != nullptr ? NodeKind::fuse : NodeKind::fs;
    node.label = pool_label(pool);
    node.note = fmt::format("{} request{} waiting, {} thread{} that could answer seen",
                            pool.requests.size(), pool.requests.size() == 1 ? "" : "s",
                            pool.members.size(), pool.members.size() == 1 ? "" : "s");
    into_.nodes.push_back(std::move(node));
  }

  void lock_and_queue(std::size_t index) {
    const SceneLock& lock = scene_.locks[index];
    lock_node(index);
    for (const SceneHolder& holder : lock.holders) {
      task_node(holder.task);
      edge(lock_ids_[index], task_id(scene_.tasks[holder.task]), EdgeKind::held_by,
           {holder.mode, holder.certainty, holder.evidence});
    }
    const std::size_t writer = lock.first_writer();
    for (std::size_t place = 0; place < lock.waiters.size(); ++place) {
      const SceneWaiter& waiter = lock.waiters[place];
      const SceneTask& task = scene_.tasks[waiter.task];
      if (task.lock != index) continue;
      task_node(waiter.task);
      edge(task_id(task), lock_ids_[index], EdgeKind::waits_for,
           {waiter.mode, waiter.certainty, waiter.evidence});
      if (waiter.mode == LockMode::read && writer < place) behind(lock, waiter, writer);
    }
  }

  void behind(const SceneLock& lock, const SceneWaiter& reader, std::size_t writer) {
    const SceneWaiter& ahead = lock.waiters[writer];
    const bool exact = lock.order_known && reader.certainty == Certainty::exact;
    edge(task_id(scene_.tasks[reader.task]), task_id(scene_.tasks[ahead.task]), EdgeKind::waits_for,
         {LockMode::read, exact ? Certainty::exact : Certainty::inferred,
          exact ? "queued behind this writer: no reader passes a queued writer"
                : "a blocked reader of a lock with a queued writer is behind it"});
  }

  void pool_and_threads(std::size_t index) {
    const ScenePool& pool = scene_.pools[index];
    pool_node(index);
    for (const SceneRequest& request : pool.requests) {
      const SceneTask& task = scene_.tasks[request.task];
      if (task.pool != index) continue;
      task_node(request.task);
      edge(task_id(task), pool_id(pool), EdgeKind::waits_for,
           {std::nullopt, request.certainty, request.evidence});
    }
    for (const SceneMember& member : pool.members) {
      task_node(member.task);
      edge(pool_id(pool), task_id(scene_.tasks[member.task]), EdgeKind::served_by,
           {std::nullopt, Certainty::inferred, member_evidence(pool, member)});
    }
  }

  std::string member_evidence(const ScenePool& pool, const SceneMember& member) const {
    std::string text;
    if (pool.connection != nullptr)
      text = fmt::format("a thread of process {}, which has its /dev/fuse open",
                         scene_.tasks[member.task].row->tgid);
    if (member.pattern == nullptr) return text.empty() ? "any thread of the server" : text;
    const std::string named = cite(*pool.fs, "service", *member.pattern);
    return text.empty() ? named : text + "; " + named;
  }

  void place_and_parties() {
    for (const StoryParty& party : story_.parties) task_node(party.task);
    if (story_.holder != kNone) task_node(story_.holder);
    if (!story_.place) return;
    ExplainedNode node;
    node.id = story_.place->id;
    node.kind = story_.place->kind;
    node.label = story_.place->label;
    node.note = story_.place->note;
    into_.nodes.push_back(std::move(node));
    for (const StoryParty& party : story_.parties)
      edge(task_id(scene_.tasks[party.task]), story_.place->id, EdgeKind::waits_for,
           {std::nullopt, party.certainty, party.evidence});
    for (const std::size_t server : story_.place->servers) {
      task_node(server);
      edge(story_.place->id, task_id(scene_.tasks[server]), EdgeKind::served_by,
           {std::nullopt, Certainty::inferred, std::string(story_.place->served)});
    }
  }

  struct Why {
    std::optional<LockMode> mode;
    Certainty certainty;
    std::string evidence;
  };
  void edge(std::string from, std::string to, EdgeKind kind, Why why) {
    into_.edges.push_back({.from = std::move(from),
                           .to = std::move(to),
                           .kind = kind,
                           .mode = why.mode,
                           .certainty = why.certainty,
                           .evidence = std::move(why.evidence)});
  }

  void root() {
    if (story_.holder != kNone) into_.root.holder = task_id(scene_.tasks[story_.holder]);
    if (story_.lock == kNone) return;
    const SceneLock& lock = scene_.locks[story_.lock];
    into_.root.lock = lock_ids_[story_.lock];
    const std::size_t writer = lock.first_writer();
    if (writer != kNone) into_.root.first_writer = task_id(scene_.tasks[lock.waiters[writer].task]);
  }

  const Story& story_;
  const Scene& scene_;
  Explanation& into_;
  std::vector<bool> task_drawn_;
  std::vector<bool> pool_drawn_;
  std::vector<std::string> lock_ids_;
  std::set<std::string> used_lock_ids_;
  std::set<std::size_t> holders_;
};

}  // namespace

void draw(const Story& story, Explanation& explanation) {
  if (story.stall_class != kNoStall) Drawing(story, explanation).all();
}

}  // namespace stallproof
