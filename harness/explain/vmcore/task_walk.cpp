// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/task_walk.h"

#include <array>
#include <cstring>
#include <optional>
#include <unordered_set>

namespace stallproof {
namespace {

constexpr std::size_t kMostTasks = 1U << 20U;
constexpr std::size_t kCommBytes = 16;
constexpr std::int32_t kMostCpus = 8192;

// Fields of one task, out of one copy of it.
class Fields {
 public:
  explicit Fields(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  template <class T>
  T get(std::uint32_t offset) const {
    T value{};
    if (std::size_t{offset} + sizeof(T) <= bytes_.size())
      std::memcpy(&value, &bytes_[offset], sizeof(T));
    return value;
  }
  template <class T>
  T get(const std::optional<std::uint32_t>& offset) const {
    return offset ? get<T>(*offset) : T{};
  }

 private:
  const std::vector<std::uint8_t>& bytes_;
};

class Walk {
 public:
  Walk(const KernelMemory& memory, const TaskLayout& layout, std::vector<std::string>& missing)
      : memory_(memory), layout_(layout), missing_(missing), bytes_(layout.bytes) {}

  std::vector<DumpedTask> run(std::uint64_t init_task) {
    take(init_task);
    const std::uint64_t head = init_task + layout_.tasks;
    follow(head, "the list of processes", [this](std::uint64_t node) {
      const std::uint64_t leader = node - layout_.tasks;
      if (!take(leader)) return;
      const std::uint64_t signal = memory_.pointer(leader + layout_.signal);
      if (!is_kernel_pointer(signal)) return;
      follow(signal + layout_.thread_head, "a list of threads",
             [this](std::uint64_t thread) { take(thread - layout_.thread_node); });
    });
    return std::move(out_);
  }

 private:
  // Forwards, and where that breaks off backwards from the end.
  template <class Each>
  void follow(std::uint64_t head, const char* what, const Each& each) {
    if (walk(head, 0, each)) return;
    walk(head, 8, each);
    missing_.push_back(std::string(what) + " breaks off: tasks are missing");
  }

  // `ahead`: place of the pointer to go along by in a list_head. True when it leads round.
  template <class Each>
  bool walk(std::uint64_t head, std::uint64_t ahead, const Each& each) {
    const std::uint64_t back = 8 - ahead;
    std::unordered_set<std::uint64_t> seen;
    std::uint64_t node = memory_.pointer(head + ahead);
    while (node != head) {
      const std::uint64_t next = is_kernel_pointer(node) ? memory_.pointer(node + ahead) : 0;
      const bool leads_back = next != 0 && memory_.pointer(next + back) == node;
      if (next != 0) each(node);
      if (!leads_back || out_.size() >= kMostTasks || !seen.insert(node).second) return false;
      node = next;
    }
    return true;
  }

  bool take(std::uint64_t address) {
    if (!known_.insert(address).second) return true;
    if (!memory_.read(address, bytes_.data(), bytes_.size())) {
      missing_.emplace_back("a task is not in the dump");
      return false;
    }
    out_.push_back(describe(address));
    return true;
  }

  DumpedTask describe(std::uint64_t address) const {
    const Fields task(bytes_);
    DumpedTask out;
    out.address = address;
    out.pid = task.get<std::int32_t>(layout_.pid);
    out.tgid = task.get<std::int32_t>(layout_.tgid);
    out.state = task.get<std::uint32_t>(layout_.state);
    out.flags = task.get<std::uint32_t>(layout_.flags);
    out.mm = task.get<std::uint64_t>(layout_.mm);
    out.files = task.get<std::uint64_t>(layout_.files);
    out.stack = task.get<std::uint64_t>(layout_.stack);
    out.sp = task.get<std::uint64_t>(layout_.sp);
    out.switches = task.get<std::uint64_t>(layout_.nvcsw) + task.get<std::uint64_t>(layout_.nivcsw);
    out.jobctl = task.get<std::uint64_t>(layout_.jobctl);
    if (layout_.cpu) out.cpu = task.get<std::int32_t>(*layout_.cpu);
    if (out.cpu < 0 || out.cpu >= kMostCpus) out.cpu = -1;
    out.on_cpu = task.get<std::int32_t>(layout_.on_cpu) != 0;
    if (layout_.in_execve) {
      const std::uint32_t bit = layout_.in_execve->first;
      out.in_execve = (task.get<std::uint8_t>(bit / 8) >> (bit % 8) & 1U) != 0;
    }
    const auto comm = task.get<std::array<char, kCommBytes>>(layout_.comm);
    out.comm.assign(comm.data(), ::strnlen(comm.data(), comm.size()));
    const std::uint64_t parent = task.get<std::uint64_t>(layout_.real_parent);
    out.parent = memory_.value<std::int32_t>(parent + layout_.tgid).value_or(0);
    if (out.mm != 0 && layout_.total_vm) out.total_vm = memory_.pointer(out.mm + *layout_.total_vm);
    return out;
  }

  const KernelMemory& memory_;
  const TaskLayout& layout_;
  std::vector<std::string>& missing_;
  std::vector<std::uint8_t> bytes_;
  std::unordered_set<std::uint64_t> known_;
  std::vector<DumpedTask> out_;
};

}  // namespace

std::vector<DumpedTask> walk_tasks(const KernelMemory& memory, const TaskLayout& layout,
                                   std::uint64_t init_task, std::vector<std::string>& missing) {
  return Walk(memory, layout, missing).run(init_task);
}

}  // namespace stallproof
