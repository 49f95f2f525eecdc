// SPDX-License-Identifier: Apache-2.0
// A LockSnapshot with its loose ends tied: tasks found by tid or address, locks with holders and
// queue, services with the threads that could serve them. Every tie keeps its certainty and
// evidence. Indexes are stable: same snapshot, same scene.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/detect/catalogue.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/task_reading.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

inline constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
// A wait younger than this is ordinary work, not a stall; also how long an idle thread must have
// slept beside a waiting request before it is taken to be unable to serve it.
inline constexpr Nanos kSettled = 200 * kMillisecond;

struct SceneTask {
  const TaskRow* row = nullptr;  // of the snapshot, or of Scene::unseen
  TaskReading reading;
  bool seen = false;  // the snapshot has a row of it
  std::size_t lock = kNone;
  std::size_t queue_place = 0;
  std::size_t pool = kNone;     // whose answer it waits for
  std::size_t request = kNone;  // in that pool
  std::size_t serves = kNone;   // whose thread it is
};

struct SceneWaiter {
  std::size_t task = kNone;
  LockMode mode = LockMode::read;
  Certainty certainty = Certainty::exact;
  std::string evidence;
};

struct SceneHolder {
  std::size_t task = kNone;
  LockMode mode = LockMode::read;
  Certainty certainty = Certainty::inferred;
  std::string evidence;
};

struct SceneLock {
  LockKind kind = LockKind::mmap_lock;
  std::uint64_t address = 0;
  std::uint64_t mm = 0;
  std::int32_t tgid = 0;
  std::string of_fs;  // a file system's that its file describes, taken in this function:
  std::string taken_in;
  std::string owner_comm;    // whose mmap_lock, for people and for texts without identity
  bool order_known = false;  // waiters in the order of the lock's own list
  bool truncated = false;
  bool of_directory = false;  // an inode's, taken to look up or change names in it
  bool of_client = false;     // known only by services that wait for it
  std::optional<bool> writer_holds;
  std::optional<std::uint32_t> reader_count;
  std::vector<SceneHolder> holders;
  std::vector<SceneWaiter> waiters;

  [[nodiscard]] std::size_t first_writer() const;  // place in `waiters`, or kNone
};

struct SceneMember {
  std::size_t task = kNone;
  const FsPattern* pattern = nullptr;  // the name pattern that made it one; null: any thread is
};

struct SceneRequest {
  std::size_t task = kNone;
  bool pending = false;
  bool settled = false;  // old enough to be a stall
  Certainty certainty = Certainty::inferred;
  std::string evidence;
};

// A file-system service: one FUSE connection, or the in-kernel service one FsFile describes.
struct ScenePool {
  const FsFile* fs = nullptr;  // null: a FUSE connection no file describes
  const FuseConnection* connection = nullptr;
  std::vector<SceneMember> members;
  std::vector<SceneRequest> requests;
};

struct Scene {
  Scene() = default;
  Scene(const Scene&) = delete;  // tasks point into `unseen`
  Scene& operator=(const Scene&) = delete;
  Scene(Scene&&) = default;
  Scene& operator=(Scene&&) = default;
  ~Scene() = default;

  const LockSnapshot* snapshot = nullptr;
  LensKind lens = LensKind::live_bpf;
  bool looked_twice = false;  // some task has unchanged_for
  std::vector<SceneTask> tasks;
  std::vector<SceneLock> locks;
  std::vector<ScenePool> pools;
  std::deque<TaskRow> unseen;  // tasks that only a tid or an address is known of

  std::unordered_map<std::int32_t, std::size_t> by_tid;
  std::unordered_map<std::uint64_t, std::size_t> by_address;
  // The task, or a new one that only this number is known of.
  std::size_t task_of_tid(std::int32_t tid);
  std::size_t task_of(const LockWaiter& waiter);

 private:
  std::size_t add_unseen(std::int32_t tid, std::uint64_t address);
};

// `snapshot` and `knowledge` must outlive the scene.
Scene build_scene(const LockSnapshot& snapshot, const FsKnowledge& knowledge,
                  DetectorSet without = 0);

// Its steps, in this order; each in a file of its own.
void add_lock_rows(Scene& scene, const LockSnapshot& snapshot);
void infer_locks(Scene& scene);      // own-mm waiters that no row holds
void infer_vma_locks(Scene& scene);  // no kernel records who holds a VMA's lock
void infer_holders(Scene& scene);    // where the lens names too few
void add_pools(Scene& scene, const LockSnapshot& snapshot, const FsKnowledge& knowledge);
void infer_directory_locks(Scene& scene);  // who waits for a name, or for the list of names
void infer_fs_locks(Scene& scene);         // of which only the function that takes them is known
void infer_client_waits(Scene& scene);     // service threads that wait for a client's mm

void enqueue(Scene& scene, std::size_t lock, SceneWaiter waiter);  // unless it waits elsewhere

// For people: "java 22134", "a task at 0xffff…".
std::string task_label(const SceneTask& task);

}  // namespace stallproof
