// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/deadlock.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "harness/explain/wait_graph.h"

namespace stallproof {
namespace {

using Node = WaitGraph::Node;
using Group = std::pair<std::size_t, const FsPattern*>;  // threads of one pool and name pattern

// Requests of one service differ only in who could still take them: four kinds of `any` node.
std::size_t variant(const SceneRequest& request) {
  return (request.pending ? 1U : 0U) + (request.settled ? 2U : 0U);
}

// Lays tasks, locks and requests out as nodes, in this order, then what each of them needs.
class Builder {
 public:
  Builder(const Scene& scene, const std::set<Group>& able) : scene_(scene), able_(able) {
    for (std::size_t i = 0; i < scene.tasks.size() + scene.locks.size(); ++i)
      graph.add(WaitGraph::Gate::all);
    for (std::size_t i = 0; i < scene.pools.size() * 4; ++i) graph.add(WaitGraph::Gate::any);
    outside_ = graph.add(WaitGraph::Gate::all);
    for (const SceneLock& lock : scene.locks) add_lock(lock);
    for (std::size_t p = 0; p < scene.pools.size(); ++p)
      for (std::size_t v = 0; v < 4; ++v) add_request(p, v);
    for (const SceneTask& task : scene.tasks)
      if (task.pool != kNone)
        graph.needs(task_node(task),
                    pool_node(task.pool, variant(scene.pools[task.pool].requests[task.request])));
  }

  // In a text every request stands; in a live view the thread must have been seen not to run.
  static bool looks_unable(const Scene& scene, const SceneTask& task) {
    if (task.reading.wait != Wait::idle) return false;
    return is_post_mortem(scene.lens) || task.row->unchanged_for.value_or(0) >= kSettled;
  }

  [[nodiscard]] Node task_node(std::size_t index) const { return static_cast<Node>(index); }
  [[nodiscard]] Node lock_node(std::size_t index) const {
    return static_cast<Node>(scene_.tasks.size() + index);
  }
  [[nodiscard]] CycleStep step(Node node) const {
    if (node < scene_.tasks.size()) return {CycleStep::Kind::task, node};
    const std::size_t rest = node - scene_.tasks.size();
    if (rest < scene_.locks.size()) return {CycleStep::Kind::lock, rest};
    return {CycleStep::Kind::pool, (rest - scene_.locks.size()) / 4};
  }

  WaitGraph graph;

 private:
  [[nodiscard]] Node task_node(const SceneTask& task) const {
    return static_cast<Node>(&task - scene_.tasks.data());
  }
  [[nodiscard]] Node pool_node(std::size_t pool, std::size_t kind) const {
    return static_cast<Node>(scene_.tasks.size() + scene_.locks.size() + pool * 4 + kind);
  }

  // A writer waits for the holders and everybody ahead; a reader for the writers ahead, or for a
  // holder that writes. Each needs its nearest predecessor, which needs the next: linear.
  void add_lock(const SceneLock& lock) {
    const Node held = lock_node(static_cast<std::size_t>(&lock - scene_.locks.data()));
    bool write_held = false;
    for (const SceneHolder& holder : lock.holders) {
      graph.needs(held, task_node(holder.task));
      write_held = write_held || holder.mode == LockMode::write;
    }
    std::size_t first_writer = kNone;
    std::size_t last_writer = kNone;
    for (std::size_t place = 0; place < lock.waiters.size(); ++place) {
      const SceneWaiter& waiter = lock.waiters[place];
      const Node node = task_node(waiter.task);
      if (waiter.mode == LockMode::write) {
        graph.needs(node, held);
        if (place > 0) graph.needs(node, task_node(lock.waiters[place - 1].task));
        if (first_writer == kNone) first_writer = waiter.task;
        last_writer = waiter.task;
      } else if (last_writer != kNone) {
        graph.needs(node, task_node(first_writer));
        if (last_writer != first_writer) graph.needs(node, task_node(last_writer));
      } else if (write_held) {
        graph.needs(node, held);
      }
    }
  }

  [[nodiscard]] bool can_take(std::size_t pool, std::size_t kind, const SceneMember& member) const {
    const SceneTask& task = scene_.tasks[member.task];
    const bool pending = (kind & 1U) != 0;
    const bool old = (kind & 2U) != 0;
    if (task.reading.wait == Wait::hand_over) return pending;
    return !old || !looks_unable(scene_, task) || able_.contains({pool, member.pattern});
  }

  void add_request(std::size_t pool, std::size_t kind) {
    std::vector<std::size_t> servers;
    for (const SceneMember& member : scene_.pools[pool].members)
      if (can_take(pool, kind, member)) servers.push_back(member.task);
    const Node node = pool_node(pool, kind);
    // Nobody seen who could: that is a lack of sight or of a server, never a deadlock.
    if (servers.empty()) graph.needs(node, outside_);
    std::sort(servers.begin(), servers.end(),
              [this](std::size_t a, std::size_t b) { return server_rank(a) < server_rank(b); });
    for (const std::size_t server : servers) graph.needs(node, task_node(server));
  }

  // The cycle is told over the thread that comes first in a lock's queue.
  [[nodiscard]] std::tuple<bool, std::size_t, std::size_t> server_rank(std::size_t t) const {
    const SceneTask& task = scene_.tasks[t];
    return {task.lock == kNone, task.queue_place, t};
  }

  const Scene& scene_;
  const std::set<Group>& able_;
  Node outside_ = 0;
};

// Groups whose idle threads explain nothing: no other thread of theirs is caught.
bool free_lonely_groups(const Scene& scene, const std::vector<bool>& stuck, std::set<Group>& able) {
  std::set<Group> idle;
  std::set<Group> caught;
  for (std::size_t p = 0; p < scene.pools.size(); ++p) {
    for (const SceneMember& member : scene.pools[p].members) {
      const Group group{p, member.pattern};
      if (stuck[member.task]) caught.insert(group);
      if (Builder::looks_unable(scene, scene.tasks[member.task])) idle.insert(group);
    }
  }
  const std::size_t before = able.size();
  for (const Group& group : idle)
    if (!caught.contains(group)) able.insert(group);
  return able.size() != before;
}

void start_with_holder(const Scene& scene, std::vector<CycleStep>& cycle) {
  const auto find_lock = [&](auto wanted) {
    return std::find_if(cycle.begin(), cycle.end(), [&](const CycleStep& step) {
      return step.kind == CycleStep::Kind::lock && wanted(scene.locks[step.index]);
    });
  };
  auto lock = find_lock([](const SceneLock& each) { return each.kind == LockKind::mmap_lock; });
  if (lock == cycle.end()) lock = find_lock([](const SceneLock&) { return true; });
  if (lock != cycle.end()) {
    std::rotate(cycle.begin(), lock + 1, cycle.end());
    return;
  }
  const auto task = std::min_element(cycle.begin(), cycle.end(), [&scene](auto& a, auto& b) {
    const auto key = [&scene](const CycleStep& step) {
      return std::make_pair(
          step.kind != CycleStep::Kind::task,
          step.kind == CycleStep::Kind::task ? scene.tasks[step.index].row->tid : 0);
    };
    return key(a) < key(b);
  });
  if (task != cycle.end()) std::rotate(cycle.begin(), task, cycle.end());
}

std::vector<CycleStep> pick_cycle(const Scene& scene, const Builder& builder,
                                  const std::vector<bool>& stuck) {
  std::vector<std::size_t> locks;
  for (std::size_t i = 0; i < scene.locks.size(); ++i)
    if (stuck[builder.lock_node(i)]) locks.push_back(i);
  std::stable_sort(locks.begin(), locks.end(), [&scene](std::size_t a, std::size_t b) {
    return scene.locks[a].waiters.size() > scene.locks[b].waiters.size();
  });
  std::vector<Node> starts;
  starts.reserve(locks.size());
  for (const std::size_t lock : locks) starts.push_back(builder.lock_node(lock));
  for (std::size_t t = 0; t < scene.tasks.size() && locks.empty(); ++t)
    if (stuck[t]) starts.push_back(builder.task_node(t));
  std::vector<CycleStep> cycle;
  for (const Node start : starts) {
    for (const Node node : builder.graph.cycle_from(start, stuck))
      cycle.push_back(builder.step(node));
    if (!cycle.empty()) break;
  }
  start_with_holder(scene, cycle);
  return cycle;
}

}  // namespace

Deadlock find_deadlock(const Scene& scene) {
  std::set<Group> able;
  while (true) {
    const Builder builder(scene, able);
    const std::vector<bool> stuck = builder.graph.stuck();
    if (free_lonely_groups(scene, stuck, able)) continue;
    Deadlock result;
    result.cycle = pick_cycle(scene, builder, stuck);
    const auto tasks = static_cast<std::ptrdiff_t>(scene.tasks.size());
    const auto locks = static_cast<std::ptrdiff_t>(scene.locks.size());
    result.stuck_tasks.assign(stuck.begin(), stuck.begin() + tasks);
    result.stuck_locks.assign(stuck.begin() + tasks, stuck.begin() + tasks + locks);
    result.unable.assign(scene.tasks.size(), false);
    for (std::size_t p = 0; p < scene.pools.size(); ++p)
      for (const SceneMember& member : scene.pools[p].members)
        result.unable[member.task] = Builder::looks_unable(scene, scene.tasks[member.task]) &&
                                     !able.contains({p, member.pattern});
    return result;
  }
}

}  // namespace stallproof
