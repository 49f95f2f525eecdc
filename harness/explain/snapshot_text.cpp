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
  if (task.parent_tgid != 0) row["parent"] = task.parent_tgid;
  if (task.halt != Halt::none) row["halt"] = to_word(task.halt);
  if (task.in_exec) row["in_exec"] = true;
  if (task.cpu_throttled) row["cpu_throttled"] = true;
  if (task.file_wait)
    row["file_wait"] = {{"how", to_word(task.file_wait->how)},
                        {"major", task.file_wait->device_major},
                        {"minor", task.file_wait->device_minor},
                        {"inode", task.file_wait->inode}};
  if (task.cpu)
    row["cpu"] = {{"span_ms", to_ms(task.cpu->span)},
                  {"ran_ms", to_ms(task.cpu->ran)},
                  {"waited_ms", to_ms(task.cpu->waited)}};
  if (!task.io_limit.empty()) row["io_limit"] = task.io_limit;
  if (!task.cpu_limit.empty()) row["cpu_limit"] = task.cpu_limit;
  if (task.fault)
    row["fault"] = {{"address", address(task.fault->address)},
                    {"file_offset", task.fault->file_offset},
                    {"vma_lock", task.fault->vma_lock},
                    {"tried", task.fault->tried},
                    {"mkwrite", task.fault->mkwrite}};
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

Json device_json(const DeviceRow& device) {
  Json row = {{"name", device.name},
              {"major", device.device_major},
              {"minor", device.device_minor},
              {"reads_in_flight", device.reads_in_flight},
              {"writes_in_flight", device.writes_in_flight},
              {"completed", device.completed}};
  if (device.unchanged_for) row["unchanged_ms"] = to_ms(*device.unchanged_for);
  if (device.suspended) row["suspended"] = true;
  if (!device.backing_file.empty()) row["backing_file"] = device.backing_file;
  if (!device.mount_point.empty()) row["mount_point"] = device.mount_point;
  return row;
}

}  // namespace

std::string_view to_word(Halt halt) {
  return halt == Halt::frozen    ? "frozen"
         : halt == Halt::traced  ? "traced"
         : halt == Halt::stopped ? "stopped"
                                 : "none";
}

std::string_view to_word(FileWait::How how) {
  switch (how) {
    case FileWait::How::page:
      return "page";
    case FileWait::How::freeze:
      return "freeze";
    case FileWait::How::file:
      return "file";
    case FileWait::How::fault:
      break;
  }
  return "fault";
}

std::string snapshot_json(const LockSnapshot& snapshot) {
  Json tasks = Json::array(), locks = Json::array(), fuse = Json::array();
  Json devices = Json::array();
  for (const TaskRow& task : snapshot.tasks) tasks.push_back(task_json(task));
  for (const LockRow& lock : snapshot.locks) locks.push_back(lock_json(lock));
  for (const FuseConnection& connection : snapshot.fuse)
    fuse.push_back(connection_json(connection));
  for (const DeviceRow& device : snapshot.devices) devices.push_back(device_json(device));
  const Json document = {{"schema", 1},
                         {"lens", to_word(snapshot.lens)},
                         {"kernel", snapshot.kernel},
                         {"tasks", tasks},
                         {"locks", locks},
                         {"fuse", fuse},
                         {"devices", devices},
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
