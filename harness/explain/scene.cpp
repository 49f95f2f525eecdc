// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/scene.h"

#include <fmt/format.h>

#include <utility>

namespace stallproof {

std::size_t SceneLock::first_writer() const {
  for (std::size_t place = 0; place < waiters.size(); ++place)
    if (waiters[place].mode == LockMode::write) return place;
  return kNone;
}

std::size_t Scene::add_unseen(std::int32_t tid, std::uint64_t address) {
  TaskRow row;
  row.tid = tid;
  row.task_address = address;
  unseen.push_back(std::move(row));
  SceneTask task;
  task.row = &unseen.back();
  tasks.push_back(task);
  return tasks.size() - 1;
}

std::size_t Scene::task_of_tid(std::int32_t tid) {
  const auto found = by_tid.find(tid);
  if (found != by_tid.end()) return found->second;
  const std::size_t index = add_unseen(tid, 0);
  by_tid.emplace(tid, index);
  return index;
}

std::size_t Scene::task_of(const LockWaiter& waiter) {
  if (waiter.tid != 0) return task_of_tid(waiter.tid);
  const auto found = by_address.find(waiter.task_address);
  if (found != by_address.end()) return found->second;
  const std::size_t index = add_unseen(0, waiter.task_address);
  by_address.emplace(waiter.task_address, index);
  return index;
}

Scene build_scene(const LockSnapshot& snapshot, const FsKnowledge& knowledge, DetectorSet without) {
  Scene scene;
  scene.snapshot = &snapshot;
  scene.lens = snapshot.lens;
  scene.tasks.reserve(snapshot.tasks.size());
  FunctionMeanings meanings(knowledge);
  for (const TaskRow& row : snapshot.tasks) {
    if (row.tid != 0 && !scene.by_tid.emplace(row.tid, scene.tasks.size()).second) continue;
    if (row.task_address != 0) scene.by_address.emplace(row.task_address, scene.tasks.size());
    SceneTask task;
    task.row = &row;
    task.seen = true;
    scene.looked_twice = scene.looked_twice || row.unchanged_for.has_value();
    task.reading = read_task(row, meanings, snapshot.lens);
    scene.tasks.push_back(task);
  }
  if (!has_detector(without, "lock-contention")) add_lock_rows(scene, snapshot);
  infer_locks(scene);
  if (!has_detector(without, "vma-lock")) infer_vma_locks(scene);
  infer_holders(scene);
  add_pools(scene, snapshot, knowledge);
  infer_directory_locks(scene);
  infer_fs_locks(scene);
  infer_client_waits(scene);
  return scene;
}

std::string task_label(const SceneTask& task) {
  const TaskRow& row = *task.row;
  if (row.tid == 0) return fmt::format("task at {:#x}", row.task_address);
  return row.comm.empty() ? fmt::format("thread {}", row.tid)
                          : fmt::format("{} {}", row.comm, row.tid);
}

}  // namespace stallproof
