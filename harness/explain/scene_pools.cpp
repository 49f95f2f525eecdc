// SPDX-License-Identifier: Apache-2.0
// Services of the scene: FUSE connections as the kernel shows them, and in-kernel services that a
// file-system file describes, each with the threads that could answer and the tasks that wait.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "harness/explain/glob.h"
#include "harness/explain/scene.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kFuseRead = 15;

// include/uapi/linux/fuse.h enum fuse_opcode.
std::string_view opcode_name(std::uint32_t opcode) {
  switch (opcode) {
    case 1:
      return "LOOKUP";
    case 3:
      return "GETATTR";
    case 14:
      return "OPEN";
    case kFuseRead:
      return "READ";
    case 16:
      return "WRITE";
    case 20:
      return "FSYNC";
    case 25:
      return "FLUSH";
    case 39:
      return "IOCTL";
    default:
      return {};
  }
}

const FsPattern* service_pattern(const FsFile& fs, const std::string& comm) {
  for (const FsPattern& pattern : fs.service)
    if (glob_match(pattern.glob, comm)) return &pattern;
  return nullptr;
}

bool settled(const Scene& scene, const SceneTask& task, std::optional<Nanos> age) {
  if (is_post_mortem(scene.lens)) return true;
  const std::optional<Nanos> unchanged = task.row->unchanged_for;
  return std::max(age.value_or(0), unchanged.value_or(0)) >= kSettled;
}

void ask(Scene& scene, std::size_t pool, SceneRequest request) {
  SceneTask& task = scene.tasks[request.task];
  if (task.pool != kNone) return;
  // Requests issued ahead (read-ahead, write-back) do not stop the task that issued them.
  const bool waits = task.lock == kNone && task.reading.wait != Wait::running &&
                     task.reading.wait != Wait::idle && task.reading.wait != Wait::hand_over;
  if (waits) {
    task.pool = pool;
    task.request = scene.pools[pool].requests.size();
  }
  scene.pools[pool].requests.push_back(std::move(request));
}

std::string request_evidence(const FuseConnection& connection, const FuseRequest& request) {
  const std::string_view name = opcode_name(request.opcode);
  return fmt::format("{} request {} of FUSE connection {}, {}",
                     name.empty() ? fmt::format("opcode {}", request.opcode) : std::string{name},
                     request.unique, connection.number,
                     request.place == RequestPlace::pending
                         ? "not yet read by its server"
                         : "read by its server and not answered");
}

// The server's threads that a file names; if it names none of them, every thread may answer.
void add_server_threads(Scene& scene, ScenePool& pool, const FsKnowledge& knowledge,
                        const std::unordered_map<std::int32_t, std::vector<std::size_t>>& threads) {
  std::vector<SceneMember> named;
  std::vector<SceneMember> all;
  for (const std::int32_t tgid : pool.connection->server_tgids) {
    const auto found = threads.find(tgid);
    if (found == threads.end()) continue;
    for (const std::size_t t : found->second) {
      const SceneTask& task = scene.tasks[t];
      all.push_back({t, nullptr});
      for (const FsFile& fs : knowledge.files()) {
        const FsPattern* pattern =
            fs.module == "fuse" ? service_pattern(fs, task.row->comm) : nullptr;
        if (pattern == nullptr && !(fs.module == "fuse" && task.reading.wait == Wait::hand_over))
          continue;
        named.push_back({t, pattern});
        if (pattern != nullptr) pool.fs = &fs;
        break;
      }
    }
  }
  pool.members = pool.fs != nullptr ? named : all;
}

// FUSE file systems have no block device: device 0:N is connection N (fs/fuse/inode.c, fc->dev).
std::set<std::uint32_t> connections_of_pages(const Scene& scene) {
  std::set<std::uint32_t> numbers;
  for (const SceneTask& task : scene.tasks)
    if (task.row->file_wait && task.row->file_wait->device_major == 0)
      numbers.insert(task.row->file_wait->device_minor);
  return numbers;
}

void add_connections(Scene& scene, const LockSnapshot& snapshot, const FsKnowledge& knowledge) {
  std::unordered_map<std::int32_t, std::vector<std::size_t>> threads;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t)
    if (scene.tasks[t].row->tgid != 0) threads[scene.tasks[t].row->tgid].push_back(t);
  const std::set<std::uint32_t> waited_for = connections_of_pages(scene);
  for (const FuseConnection& connection : snapshot.fuse) {
    if (connection.requests.empty() && !waited_for.contains(connection.number)) continue;
    ScenePool pool;
    pool.connection = &connection;
    add_server_threads(scene, pool, knowledge, threads);
    const std::size_t index = scene.pools.size();
    scene.pools.push_back(std::move(pool));
    for (const FuseRequest& request : connection.requests) {
      if (request.client_tid <= 0) continue;  // issued by the kernel for nobody in particular
      const std::size_t t = scene.task_of_tid(request.client_tid);
      ask(scene, index,
          {.task = t,
           .pending = request.place == RequestPlace::pending,
           .settled = settled(scene, scene.tasks[t], request.age),
           .certainty = Certainty::exact,
           .evidence = request_evidence(connection, request)});
    }
  }
}

void add_fs_services(Scene& scene) {
  std::map<const FsFile*, std::size_t> pools;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    if (task.pool != kNone || task.lock != kNone || task.reading.wait != Wait::service) continue;
    const FsMatch match = task.reading.service_wait;
    const auto found = pools.emplace(match.fs, scene.pools.size());
    if (found.second) {
      ScenePool pool;
      pool.fs = match.fs;
      scene.pools.push_back(std::move(pool));
    }
    ask(scene, found.first->second,
        {.task = t,
         .settled = settled(scene, task, std::nullopt),
         .certainty = Certainty::inferred,
         .evidence = cite(*match.fs, "waits_for_service", *match.pattern)});
  }
  for (const auto& entry : pools) {
    ScenePool& pool = scene.pools[entry.second];
    for (std::size_t t = 0; t < scene.tasks.size(); ++t)
      if (const FsPattern* pattern = service_pattern(*pool.fs, scene.tasks[t].row->comm))
        pool.members.push_back({t, pattern});
  }
}

std::string file_evidence(const SceneTask& task, std::uint32_t connection) {
  const FileWait& wait = *task.row->file_wait;
  const std::string_view what = wait.how == FileWait::How::page   ? "waits for a page of"
                                : wait.how == FileWait::How::file ? "works on"
                                                                  : "is in a page fault on";
  return fmt::format("sleeps in {} and {} inode {} of FUSE connection {} (read from its stack)",
                     task.reading.wait_function, what, wait.inode, connection);
}

// Who waits for a page has asked for nothing himself: written back or read in for somebody else,
// it is locked until the service has answered.
void add_file_waits(Scene& scene) {
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    const bool waits = task.row->file_wait && task.row->file_wait->device_major == 0 &&
                       task.row->file_wait->how != FileWait::How::freeze &&
                       task.row->state == 'D' && task.reading.wait == Wait::unknown &&
                       task.pool == kNone && task.lock == kNone;
    if (!waits) continue;
    for (std::size_t p = 0; p < scene.pools.size(); ++p) {
      const FuseConnection* connection = scene.pools[p].connection;
      if (connection == nullptr || connection->number != task.row->file_wait->device_minor)
        continue;
      const bool page = task.row->file_wait->how == FileWait::How::page;
      ask(scene, p,
          {.task = t,
           .settled = settled(scene, task, std::nullopt),
           .certainty = page ? Certainty::exact : Certainty::inferred,
           .evidence = file_evidence(task, connection->number)});
      break;
    }
  }
}

// A fault may wait for a page that another task's READ is to fill: the page is locked until that
// request is answered. Which file it belongs to is not on the stack, so only the process ties them.
void add_page_waits(Scene& scene) {
  std::unordered_map<std::int32_t, std::pair<std::size_t, std::int32_t>> reads;  // by tgid
  for (std::size_t p = 0; p < scene.pools.size(); ++p) {
    if (scene.pools[p].connection == nullptr) continue;
    for (const FuseRequest& request : scene.pools[p].connection->requests) {
      if (request.client_tid <= 0) continue;
      const TaskRow& reader = *scene.tasks[scene.task_of_tid(request.client_tid)].row;
      if (request.opcode == kFuseRead && reader.tgid != 0)
        reads.emplace(reader.tgid, std::make_pair(p, reader.tid));
    }
  }
  for (std::size_t t = 0; t < scene.tasks.size() && !reads.empty(); ++t) {
    const SceneTask& task = scene.tasks[t];
    const auto found = reads.find(task.row->tgid);
    const bool waits = task.reading.wait == Wait::unknown && task.reading.file_fault &&
                       task.reading.folio_wait && task.pool == kNone && task.lock == kNone;
    if (!waits || found == reads.end()) continue;
    const auto [pool, reader] = found->second;
    ask(scene, pool,
        {.task = t,
         .settled = settled(scene, task, std::nullopt),
         .certainty = Certainty::inferred,
         .evidence = fmt::format("sleeps in {} for a page of a mapped file, while a READ of its "
                                 "process (thread {}) on FUSE connection {} is not answered",
                                 task.reading.wait_function, reader,
                                 scene.pools[pool].connection->number)});
  }
}

}  // namespace

void add_pools(Scene& scene, const LockSnapshot& snapshot, const FsKnowledge& knowledge) {
  add_connections(scene, snapshot, knowledge);
  add_file_waits(scene);
  add_page_waits(scene);
  add_fs_services(scene);
  for (std::size_t p = 0; p < scene.pools.size(); ++p)
    for (const SceneMember& member : scene.pools[p].members)
      if (scene.tasks[member.task].serves == kNone) scene.tasks[member.task].serves = p;
}

}  // namespace stallproof
