// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_read.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/json_fields.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

using Object = JsonFields;

constexpr std::array kModes{LockMode::read, LockMode::write};
constexpr std::array kCertainties{Certainty::exact, Certainty::likely, Certainty::inferred};
constexpr std::array kLenses{LensKind::live_bpf, LensKind::live_proc, LensKind::crash_text,
                             LensKind::vmcore};
constexpr std::array kLockKinds{LockKind::mmap_lock, LockKind::rwsem, LockKind::mutex};
constexpr std::array kHalts{Halt::none, Halt::stopped, Halt::traced, Halt::frozen};
constexpr std::array kFileWaits{FileWait::How::page, FileWait::How::freeze, FileWait::How::file,
                                FileWait::How::fault};
constexpr std::array kPlaces{RequestPlace::pending, RequestPlace::processing};

std::string_view lock_kind_word(LockKind kind) {
  return kind == LockKind::mmap_lock ? "mmap_lock" : kind == LockKind::rwsem ? "rwsem" : "mutex";
}
std::string_view place_word(RequestPlace place) {
  return place == RequestPlace::pending ? "pending" : "processing";
}

// "fuse_do_readfolio [fuse]"
StackFrame frame_of(const std::string& text) {
  const std::size_t open = text.rfind(" [");
  if (open == std::string::npos || text.back() != ']') return {.function = text, .module = {}};
  return {.function = text.substr(0, open),
          .module = text.substr(open + 2, text.size() - open - 3)};
}

void read_fault(const Object& task, TaskRow& row) {
  task.object("fault", [&row](const Object& fault) {
    FaultState& state = row.fault.emplace();
    fault.address("address", state.address);
    fault.number("file_offset", state.file_offset);
    fault.flag("vma_lock", state.vma_lock);
    fault.flag("tried", state.tried);
    fault.flag("mkwrite", state.mkwrite);
  });
}

void read_cpu_share(const Object& task, TaskRow& row) {
  task.object("cpu", [&row](const Object& cpu) {
    std::optional<Nanos> span;
    std::optional<Nanos> ran;
    std::optional<Nanos> waited;
    cpu.milliseconds("span_ms", span);
    cpu.milliseconds("ran_ms", ran);
    cpu.milliseconds("waited_ms", waited);
    row.cpu = CpuShare{span.value_or(0), ran.value_or(0), waited.value_or(0)};
  });
}

void read_wait(const Object& task, TaskRow& row) {
  task.number("parent", row.parent_tgid);
  task.word("halt", row.halt, kHalts, to_word);
  task.flag("in_exec", row.in_exec);
  task.flag("cpu_throttled", row.cpu_throttled);
  task.text("io_limit", row.io_limit);
  task.text("cpu_limit", row.cpu_limit);
  task.object("file_wait", [&row](const Object& wait) {
    FileWait& where = row.file_wait.emplace();
    wait.word("how", where.how, kFileWaits, to_word);
    wait.number("major", where.device_major);
    wait.number("minor", where.device_minor);
    wait.number("inode", where.inode);
  });
  read_cpu_share(task, row);
}

DeviceRow read_device(const Object& device) {
  DeviceRow row;
  device.text("name", row.name);
  device.number("major", row.device_major);
  device.number("minor", row.device_minor);
  device.number("reads_in_flight", row.reads_in_flight);
  device.number("writes_in_flight", row.writes_in_flight);
  device.number("completed", row.completed);
  device.milliseconds("unchanged_ms", row.unchanged_for);
  device.flag("suspended", row.suspended);
  device.text("backing_file", row.backing_file);
  device.text("mount_point", row.mount_point);
  return row;
}

TaskRow read_task(const Object& task) {
  TaskRow row;
  std::string state;
  task.number("tid", row.tid);
  task.number("tgid", row.tgid);
  task.text("comm", row.comm);
  task.text("state", state);
  if (state.size() == 1) row.state = state[0];
  task.address("task", row.task_address);
  task.address("mm", row.mm);
  task.flag("kernel_thread", row.kernel_thread);
  task.milliseconds("unchanged_ms", row.unchanged_for);
  task.text("stack_problem", row.stack_problem);
  task.number("source_line", row.source_line);
  std::vector<std::string> frames;
  task.texts("stack", frames);
  for (const std::string& frame : frames) row.stack.push_back(frame_of(frame));
  read_fault(task, row);
  read_wait(task, row);
  return row;
}

LockHolder read_holder(const Object& holder) {
  LockHolder row;
  holder.number("tid", row.tid);
  holder.word("mode", row.mode, kModes, to_word);
  holder.word("certainty", row.certainty, kCertainties, to_word);
  holder.text("evidence", row.evidence);
  return row;
}

LockWaiter read_waiter(const Object& waiter) {
  LockWaiter row;
  waiter.number("tid", row.tid);
  waiter.address("task", row.task_address);
  waiter.word("mode", row.mode, kModes, to_word);
  waiter.number("source_line", row.source_line);
  return row;
}

LockRow read_lock(const Object& lock) {
  LockRow row;
  lock.word("kind", row.kind, kLockKinds, lock_kind_word);
  lock.address("address", row.address);
  lock.address("mm", row.mm);
  lock.number("tgid", row.tgid);
  if (lock.has("count")) lock.address("count", row.count.emplace());
  if (lock.has("readers")) lock.number("readers", row.reader_count.emplace());
  if (lock.has("writer_holds")) lock.flag("writer_holds", row.writer_holds.emplace());
  lock.flag("queue_known", row.queue_known);
  lock.flag("queue_truncated", row.queue_truncated);
  lock.each("holders", [&](const Object& each) { row.holders.push_back(read_holder(each)); });
  lock.each("waiters", [&](const Object& each) { row.waiters.push_back(read_waiter(each)); });
  return row;
}

FuseConnection read_connection(const Object& connection) {
  FuseConnection row;
  connection.number("connection", row.number);
  connection.number("waiting", row.waiting);
  connection.flag("requests_truncated", row.requests_truncated);
  connection.numbers("servers", row.server_tgids);
  connection.each("requests", [&](const Object& request) {
    FuseRequest& made = row.requests.emplace_back();
    request.number("unique", made.unique);
    request.number("opcode", made.opcode);
    request.number("client_tid", made.client_tid);
    request.word("place", made.place, kPlaces, place_word);
    request.milliseconds("age_ms", made.age);
  });
  return row;
}

}  // namespace

Result<LockSnapshot> read_snapshot_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail("snapshot: not JSON, or cut");
  std::string problem;
  const Object root(document, "", problem, Object::Nulls::absent);
  int schema = 0;
  root.number("schema", schema);
  if (schema != 1) return fail(fmt::format("snapshot: schema {} is not known (1 is)", schema));
  LockSnapshot snapshot;
  root.word("lens", snapshot.lens, kLenses, to_word);
  root.text("kernel", snapshot.kernel);
  root.each("tasks", [&](const Object& each) { snapshot.tasks.push_back(read_task(each)); });
  root.each("locks", [&](const Object& each) { snapshot.locks.push_back(read_lock(each)); });
  root.each("fuse", [&](const Object& each) { snapshot.fuse.push_back(read_connection(each)); });
  root.each("devices", [&](const Object& each) { snapshot.devices.push_back(read_device(each)); });
  root.texts("blind_spots", snapshot.blind_spots);
  if (!problem.empty()) return fail("snapshot: " + problem);
  return snapshot;
}

}  // namespace stallproof
