// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_read.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/explain/render.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr double kMostMs = 1e15;  // 30 000 years: nothing that is no mistake

// One object of the document. Absent keys and null leave the field as it is; the first value of a
// wrong kind is remembered, and everything goes on.
class Object {
 public:
  Object(const Json& value, std::string path, std::string& problem)
      : value_(value), path_(std::move(path)), problem_(problem) {
    if (!value_.is_object()) complain("", "not an object");
  }

  template <class Number>
  void number(const char* key, Number& into) const {
    const Json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_number_integer()) return complain(key, "not a number");
    const auto wide = found->get<std::int64_t>();
    into = static_cast<Number>(wide);
    if (static_cast<std::int64_t>(into) != wide) complain(key, "out of range");
  }
  void flag(const char* key, bool& into) const {
    const Json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) return complain(key, "not true or false");
    into = found->get<bool>();
  }
  void text(const char* key, std::string& into) const {
    const Json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_string()) return complain(key, "not a text");
    into = found->get<std::string>();
  }
  // "0xffff8881…": addresses do not survive as numbers in every reader.
  void address(const char* key, std::uint64_t& into) const {
    std::string word;
    text(key, word);
    if (word.empty()) return;
    const char* const end = word.data() + word.size();
    const bool prefixed = word.starts_with("0x");
    const auto read = std::from_chars(word.data() + (prefixed ? 2 : 0), end, into, 16);
    if (!prefixed || read.ec != std::errc{} || read.ptr != end) complain(key, "not an address");
  }
  void milliseconds(const char* key, std::optional<Nanos>& into) const {
    const Json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_number()) return complain(key, "not a number");
    const double ms = found->get<double>();
    if (!(ms >= 0 && ms < kMostMs)) return complain(key, "out of range");
    into = static_cast<Nanos>(ms * 1e6 + 0.5);
  }
  template <class Value, std::size_t N>
  void word(const char* key, Value& into, const std::array<Value, N>& values,
            std::string_view (*name)(Value)) const {
    std::string given;
    text(key, given);
    if (find(key) == nullptr) return;
    for (const Value value : values) {
      if (name(value) != given) continue;
      into = value;
      return;
    }
    complain(key, "an unknown word");
  }
  // Calls `visit` with each entry and its path.
  template <class Visit>
  void list(const char* key, Visit visit) const {
    const Json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) return complain(key, "not a list");
    for (std::size_t i = 0; i < found->size(); ++i)
      visit((*found)[i], fmt::format("{}{}[{}]", path_.empty() ? "" : path_ + ".", key, i));
  }
  [[nodiscard]] const Json* find(const char* key) const {
    if (!value_.is_object()) return nullptr;
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  void complain(const char* key, const char* what) const {
    if (problem_.empty())
      problem_ =
          fmt::format("{}{}{}: {}", path_, path_.empty() || *key == '\0' ? "" : ".", key, what);
  }
  [[nodiscard]] Object inside(const char* key) const {
    return Object(*find(key), path_.empty() ? key : path_ + "." + key, problem_);
  }
  std::string& problem() const { return problem_; }

 private:
  const Json& value_;
  std::string path_;
  std::string& problem_;
};

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
  if (task.find("fault") == nullptr) return;
  const Object fault = task.inside("fault");
  row.fault = FaultState{};
  fault.address("address", row.fault->address);
  fault.number("file_offset", row.fault->file_offset);
  fault.flag("vma_lock", row.fault->vma_lock);
  fault.flag("tried", row.fault->tried);
  fault.flag("mkwrite", row.fault->mkwrite);
}

void read_wait(const Object& task, TaskRow& row) {
  task.number("parent", row.parent_tgid);
  task.word("halt", row.halt, kHalts, to_word);
  task.flag("in_exec", row.in_exec);
  task.flag("cpu_throttled", row.cpu_throttled);
  task.text("io_limit", row.io_limit);
  task.text("cpu_limit", row.cpu_limit);
  if (task.find("file_wait") != nullptr) {
    const Object wait = task.inside("file_wait");
    row.file_wait = FileWait{};
    wait.word("how", row.file_wait->how, kFileWaits, to_word);
    wait.number("major", row.file_wait->device_major);
    wait.number("minor", row.file_wait->device_minor);
    wait.number("inode", row.file_wait->inode);
  }
  if (task.find("cpu") == nullptr) return;
  const Object cpu = task.inside("cpu");
  std::optional<Nanos> span;
  std::optional<Nanos> ran;
  std::optional<Nanos> waited;
  cpu.milliseconds("span_ms", span);
  cpu.milliseconds("ran_ms", ran);
  cpu.milliseconds("waited_ms", waited);
  row.cpu = CpuShare{span.value_or(0), ran.value_or(0), waited.value_or(0)};
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
  task.list("stack", [&](const Json& frame, const std::string&) {
    if (!frame.is_string()) return task.complain("stack", "holds something that is no text");
    row.stack.push_back(frame_of(frame.get<std::string>()));
  });
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
  if (lock.find("count") != nullptr) lock.address("count", row.count.emplace());
  if (lock.find("readers") != nullptr) lock.number("readers", row.reader_count.emplace());
  if (lock.find("writer_holds") != nullptr) lock.flag("writer_holds", row.writer_holds.emplace());
  lock.flag("queue_known", row.queue_known);
  lock.flag("queue_truncated", row.queue_truncated);
  lock.list("holders", [&](const Json& value, const std::string& path) {
    row.holders.push_back(read_holder(Object(value, path, lock.problem())));
  });
  lock.list("waiters", [&](const Json& value, const std::string& path) {
    row.waiters.push_back(read_waiter(Object(value, path, lock.problem())));
  });
  return row;
}

FuseConnection read_connection(const Object& connection) {
  FuseConnection row;
  connection.number("connection", row.number);
  connection.number("waiting", row.waiting);
  connection.flag("requests_truncated", row.requests_truncated);
  connection.list("servers", [&](const Json& value, const std::string&) {
    if (!value.is_number_integer()) return connection.complain("servers", "holds no number");
    row.server_tgids.push_back(value.get<std::int32_t>());
  });
  connection.list("requests", [&](const Json& value, const std::string& path) {
    const Object request(value, path, connection.problem());
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
  const Object root(document, "", problem);
  int schema = 0;
  root.number("schema", schema);
  if (schema != 1) return fail(fmt::format("snapshot: schema {} is not known (1 is)", schema));
  LockSnapshot snapshot;
  root.word("lens", snapshot.lens, kLenses, to_word);
  root.text("kernel", snapshot.kernel);
  root.list("tasks", [&](const Json& value, const std::string& path) {
    snapshot.tasks.push_back(read_task(Object(value, path, problem)));
  });
  root.list("locks", [&](const Json& value, const std::string& path) {
    snapshot.locks.push_back(read_lock(Object(value, path, problem)));
  });
  root.list("fuse", [&](const Json& value, const std::string& path) {
    snapshot.fuse.push_back(read_connection(Object(value, path, problem)));
  });
  root.list("devices", [&](const Json& value, const std::string& path) {
    snapshot.devices.push_back(read_device(Object(value, path, problem)));
  });
  root.list("blind_spots", [&](const Json& value, const std::string&) {
    if (value.is_string()) snapshot.blind_spots.push_back(value.get<std::string>());
  });
  if (!problem.empty()) return fail("snapshot: " + problem);
  return snapshot;
}

}  // namespace stallproof
