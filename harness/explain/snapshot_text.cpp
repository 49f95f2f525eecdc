// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// Numbers above 2^53 do not survive every JSON reader: addresses are text.
Json address(std::uint64_t value) {
  if (value == 0) return nullptr;
  return fmt::format("{:#x}", value);
}

double to_ms(Nanos span) { return static_cast<double>(span) / 1e6; }

std::string frame_text(const StackFrame& frame) {
  return frame.module.empty() ? frame.function : frame.function + " [" + frame.module + "]";
}

Json task_json(const TaskRow& task) {
  Json stack = Json::array();
  for (const StackFrame& frame : task.stack) stack.push_back(frame_text(frame));
  Json row = {{"tid", task.tid},
              {"tgid", task.tgid},
              {"comm", task.comm},
              {"state", std::string(1, task.state)},
              {"task", address(task.task_address)},
              {"mm", address(task.mm)},
              {"stack", stack}};
  if (task.unchanged_for) row["unchanged_ms"] = to_ms(*task.unchanged_for);
  if (task.kernel_thread) row["kernel_thread"] = true;
  if (!task.stack_problem.empty()) row["stack_problem"] = task.stack_problem;
  if (task.source_line != 0) row["source_line"] = task.source_line;
  if (task.fault)
    row["fault"] = {{"address", address(task.fault->address)},
                    {"file_offset", task.fault->file_offset},
                    {"vma_lock", task.fault->vma_lock},
                    {"tried", task.fault->tried}};
  return row;
}

Json lock_json(const LockRow& lock) {
  Json holders = Json::array();
  for (const LockHolder& holder : lock.holders)
    holders.push_back({{"tid", holder.tid},
                       {"mode", to_word(holder.mode)},
                       {"certainty", to_word(holder.certainty)},
                       {"evidence", holder.evidence}});
  Json waiters = Json::array();
  for (const LockWaiter& waiter : lock.waiters)
    waiters.push_back({{"tid", waiter.tid},
                       {"task", address(waiter.task_address)},
                       {"mode", to_word(waiter.mode)},
                       {"source_line", waiter.source_line}});
  return {{"kind", lock.kind == LockKind::mmap_lock ? "mmap_lock"
                   : lock.kind == LockKind::rwsem   ? "rwsem"
                                                    : "mutex"},
          {"address", address(lock.address)},
          {"mm", address(lock.mm)},
          {"tgid", lock.tgid},
          {"count", lock.count ? address(*lock.count) : Json(nullptr)},
          {"readers", lock.reader_count ? Json(*lock.reader_count) : Json(nullptr)},
          {"holders", holders},
          {"waiters", waiters},
          {"writer_holds", lock.writer_holds ? Json(*lock.writer_holds) : Json(nullptr)},
          {"queue_known", lock.queue_known},
          {"queue_truncated", lock.queue_truncated}};
}

Json connection_json(const FuseConnection& connection) {
  Json requests = Json::array();
  for (const FuseRequest& request : connection.requests)
    requests.push_back(
        {{"unique", request.unique},
         {"opcode", request.opcode},
         {"client_tid", request.client_tid},
         {"place", request.place == RequestPlace::pending ? "pending" : "processing"},
         {"age_ms", request.age ? Json(to_ms(*request.age)) : Json(nullptr)}});
  return {{"connection", connection.number},
          {"waiting", connection.waiting},
          {"servers", connection.server_tgids},
          {"requests", requests},
          {"requests_truncated", connection.requests_truncated}};
}

}  // namespace

std::string snapshot_json(const LockSnapshot& snapshot) {
  Json tasks = Json::array(), locks = Json::array(), fuse = Json::array();
  for (const TaskRow& task : snapshot.tasks) tasks.push_back(task_json(task));
  for (const LockRow& lock : snapshot.locks) locks.push_back(lock_json(lock));
  for (const FuseConnection& connection : snapshot.fuse)
    fuse.push_back(connection_json(connection));
  const Json document = {{"schema", 1},
                         {"lens", to_word(snapshot.lens)},
                         {"kernel", snapshot.kernel},
                         {"tasks", tasks},
                         {"locks", locks},
                         {"fuse", fuse},
                         {"blind_spots", snapshot.blind_spots}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string stacks_text(const LockSnapshot& snapshot) {
  std::string text;
  for (const TaskRow& task : snapshot.tasks) {
    text += fmt::format("{} tid {} pid {} state {}\n", task.comm, task.tid, task.tgid, task.state);
    for (const StackFrame& frame : task.stack) text += fmt::format("    {}\n", frame_text(frame));
    if (task.stack.empty() && !task.stack_problem.empty())
      text += fmt::format("    ({})\n", task.stack_problem);
  }
  return text;
}

}  // namespace stallproof
