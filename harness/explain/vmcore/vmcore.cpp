// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcore.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

#include "harness/explain/vmcore/dump_records.h"
#include "harness/explain/vmcore/dump_stacks.h"
#include "harness/explain/vmcore/fuse_requests.h"
#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/module_list.h"
#include "harness/explain/vmcore/orc.h"
#include "harness/explain/vmcore/resident_size.h"
#include "harness/explain/vmcore/stack_findings.h"
#include "harness/explain/vmcore/symbol_book.h"
#include "harness/probe/decode_scan.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kIdleState = 0x402;  // TASK_IDLE: asleep in D by name only
constexpr std::uint64_t kOrcIpBytes = 4;

Failure by_crash(const Vmcoreinfo& info, const std::string& why) {
  const std::string release = info.release();
  return fail(fmt::format(
      "kernel {}: {}; open it in crash, type what `stallproof explain --crash-script` prints, and "
      "give the output",
      release.empty() ? "of unknown release" : release, why));
}

bool waits_in(const LockRow& lock, std::uint64_t task) {
  return std::any_of(lock.waiters.begin(), lock.waiters.end(),
                     [task](const LockWaiter& waiter) { return waiter.task_address == task; });
}

// A dump is one moment: the lock's count and the stacks belong together, so tasks asleep in page
// faults on this address space are as many as the readers, or something was not found.
void cross_check(LockRow& lock, const std::vector<TaskRow>& tasks) {
  if (lock.mm == 0 || !lock.reader_count || *lock.reader_count == 0) return;
  std::set<std::int32_t> faulting;
  for (const TaskRow& task : tasks)
    if (task.mm == lock.mm && task.fault && !task.fault->vma_lock && task.state != 'R' &&
        !waits_in(lock, task.task_address))
      faulting.insert(task.tid);
  const std::uint64_t readers = *lock.reader_count;
  const std::string compared = fmt::format(
      "{} such task{} for {} reader{} in the lock's count{}", faulting.size(),
      faulting.size() == 1 ? "" : "s", readers, readers == 1 ? "" : "s",
      faulting.size() == readers ? "" : ": not all of them hold it, or some are unknown");
  for (LockHolder& holder : lock.holders) {
    if (holder.certainty == Certainty::inferred)
      holder.evidence += "; " + compared;
    else if (holder.certainty == Certainty::likely && faulting.contains(holder.tid))
      holder.evidence += "; it sleeps in a page fault on this address space, " + compared;
    else if (holder.certainty == Certainty::likely)
      holder.evidence += "; its stack does not show that it holds it";
  }
}

class Reader {
 public:
  Reader(const KernelMemory& memory, const Vmcoreinfo& info) : memory_(memory), info_(info) {}

  Result<Vmcore> read(const VmcoreSources& sources) {
    auto book = sources.system_map.empty() ? SymbolBook::from_dump(memory_, info_)
                                           : SymbolBook::from_system_map(sources.system_map, info_);
    if (!book) {
      if (!sources.system_map.empty()) return Failure(book.error());
      return by_crash(info_, book.error().what + hint());
    }
    const auto btf = read_btf(*book);
    if (!btf) return by_crash(info_, btf.error().what);
    const auto tasks = TaskLayout::of(*btf);
    if (!tasks) return by_crash(info_, tasks.error().what);
    const auto locks = LockLayout::of(*btf);
    if (!locks) return by_crash(info_, locks.error().what);
    const std::uint64_t init_task = book->variable("init_task");
    if (init_task == 0) return fail("init_task is not among the kernel's symbols");
    const auto modules = read_modules(memory_, *btf, sources.modules, *book, out_.missing);
    out_.release = info_.release();
    out_.symbols = book->functions(out_.release);
    out_.tasks = walk_tasks(memory_, *tasks, init_task, out_.missing);
    if (out_.tasks.empty()) return fail("not one task can be read: the dump is damaged");
    read_resident_sizes(memory_, *btf, *book, out_.tasks);
    out_.total_pages = memory_.pointer(book->variable("_totalram_pages"));
    const std::uint64_t fork = book->variable("ret_from_fork_asm");  // since 6.6
    DumpStacks read =
        read_stacks(memory_, *tasks, orc_tables(*btf, *book, modules),
                    fork != 0 ? fork : book->variable("ret_from_fork"), out_.tasks, out_.missing);
    copies_ = std::move(read.copies);
    out_.stacks = std::move(read.stacks);
    const LockQueues queues(memory_, *locks, tasks->stack_bytes, out_.tasks);
    read_locks(queues, *tasks);
    tell(*btf, *book, queues, locks->counts_readers);
    return std::move(out_);
  }

 private:
  // Why not all is lost.
  [[nodiscard]] std::string hint() const {
    if (!info_.symbol("_stext") || !KernelBtf::find(memory_, *info_.symbol("_stext"))) return {};
    return " (BTF is there: with its System.map by --system-map it can be read)";
  }

  Result<KernelBtf> read_btf(const SymbolBook& book) const {
    const std::uint64_t start = book.variable("__start_BTF");
    if (start != 0) {
      auto btf = KernelBtf::read(memory_, start, book.variable("__stop_BTF"));
      if (btf) return btf;
    }
    const std::uint64_t from = book.variable("_stext");
    return from == 0 ? Result<KernelBtf>(fail("no BTF in the dump"))
                     : KernelBtf::find(memory_, from);
  }

  OrcTables orc_tables(const KernelBtf& btf, const SymbolBook& book,
                       const std::vector<LoadedModule>& modules) {
    const auto form = OrcForm::of(btf);
    OrcTables tables(memory_, form.value_or(OrcForm{}));
    const std::uint64_t ips = book.variable("__start_orc_unwind_ip");
    const std::uint64_t end = book.variable("__stop_orc_unwind_ip");
    const std::uint64_t entries = book.variable("__start_orc_unwind");
    if (!form || ips == 0 || end <= ips || entries == 0) {
      out_.missing.emplace_back(
          "stacks cannot be followed: the kernel has no ORC tables, or they are of a form not "
          "known");
      return tables;
    }
    const std::uint64_t last = std::max(book.variable("_etext"), book.variable("_einittext"));
    tables.add({ips, entries, static_cast<std::uint32_t>((end - ips) / kOrcIpBytes),
                book.variable("_stext"), last});
    for (const LoadedModule& module : modules) tables.add(module.orc);
    return tables;
  }

  // By the function it sleeps in: a waiter of either kind looks the same.
  [[nodiscard]] std::optional<LockKind> waits_for(std::size_t task) const {
    constexpr std::size_t kInner = 8;
    const auto& frames = out_.stacks[task].frames;
    for (std::size_t i = 0; i < std::min(frames.size(), kInner); ++i) {
      const auto symbol = out_.symbols.find(frames[i].code());
      if (!symbol) continue;
      if (symbol->function.starts_with("rwsem_down_")) return LockKind::rwsem;
      if (symbol->function.find("mutex_lock") != std::string_view::npos) return LockKind::mutex;
    }
    return std::nullopt;
  }

  void read_locks(const LockQueues& queues, const TaskLayout& layout) {
    std::set<std::uint64_t> spaces, known;
    bool unread = false;
    for (const DumpedTask& task : out_.tasks)
      if (task.mm != 0 && spaces.insert(task.mm).second)
        if (auto lock = queues.mmap_lock(task.mm, layout.mmap_lock, unread))
          out_.locks.push_back(std::move(*lock));
    if (unread) out_.missing.emplace_back("an mmap_lock is not in the dump");
    for (const DumpedLock& lock : out_.locks) known.insert(lock.address);
    for (std::size_t i = 0; i < out_.tasks.size(); ++i) {
      const auto kind = waits_for(i);
      if (!kind || copies_[i].words.empty()) continue;
      auto lock = queues.waited_for(out_.tasks[i], copies_[i], *kind);
      if (!lock)
        out_.missing.push_back(
            fmt::format("the lock that task {} queues for was not found", out_.tasks[i].pid));
      else if (known.insert(lock->address).second)
        out_.locks.push_back(std::move(*lock));
    }
  }

  void take_fuse(const KernelBtf& btf, const SymbolBook& book, ScanRecords& records) {
    const auto read = read_fuse(memory_, btf, book, out_.tasks, records, out_.missing);
    if (!read) out_.missing.push_back("FUSE requests were not read: " + read.error().what);
    records.begin.features |= SCAN_HAS_FUSE;  // or it is said why not
  }

  void tell(const KernelBtf& btf, const SymbolBook& book, const LockQueues& queues,
            bool counts_readers) {
    const StackFindings findings(memory_, btf);
    std::unordered_set<std::uint64_t> contended;
    for (const DumpedLock& lock : out_.locks)
      if (lock.mm != 0) contended.insert(lock.mm);
    ScanRecords records;
    records.begin.features = SCAN_HAS_BLOCKER;
    if (findings.finds_faults()) records.begin.features |= SCAN_HAS_STACK_SCAN;
    std::vector<std::size_t> origin;
    for (std::size_t i = 0; i < out_.tasks.size(); ++i) {
      const DumpedTask& task = out_.tasks[i];
      if ((task.state & kIdleState) == kIdleState || task.pid == 0) continue;
      ScanTask record = task_record(task, out_.stacks[i]);
      findings.search(copies_[i], out_.stacks[i].frames, contended, record);
      records.tasks.push_back(record);
      origin.push_back(i);
    }
    for (const DumpedLock& lock : out_.locks) add_lock_records(lock, queues, out_.tasks, records);
    take_fuse(btf, book, records);
    out_.snapshot = decode_records(records, out_.symbols);
    out_.snapshot.lens = LensKind::vmcore;
    for (std::size_t i = 0; i < origin.size(); ++i) complete_stack(origin[i], i);
    for (LockRow& lock : out_.snapshot.locks) cross_check(lock, out_.snapshot.tasks);
    if (!counts_readers) forget_counts();
    say_each_once();
    out_.snapshot.blind_spots.insert(out_.snapshot.blind_spots.end(), out_.missing.begin(),
                                     out_.missing.end());
  }

  // A damaged dump lacks the same thing many times.
  void say_each_once() {
    constexpr std::size_t kMost = 40;
    std::map<std::string, std::size_t> times;
    for (const std::string& each : out_.missing) ++times[each];
    out_.missing.clear();
    for (const auto& [what, count] : times)
      if (out_.missing.size() < kMost)
        out_.missing.push_back(count == 1 ? what : fmt::format("{} ({} times)", what, count));
    if (times.size() > kMost)
      out_.missing.push_back(fmt::format("and {} more of this kind", times.size() - kMost));
  }

  // A record holds fewer frames than a stack may have.
  void complete_stack(std::size_t task, std::size_t row) {
    const UnwoundStack& stack = out_.stacks[task];
    TaskRow& into = out_.snapshot.tasks[row];
    if (into.stack.empty()) {
      if (!stack.problem.empty()) into.stack_problem = stack.problem;
      return;
    }
    for (std::size_t i = into.stack.size(); i < stack.frames.size(); ++i) {
      const std::uint64_t address = stack.frames[i].address;
      const auto symbol = out_.symbols.find(stack.frames[i].code());
      into.stack.push_back({symbol ? std::string(symbol->function) : fmt::format("0x{:x}", address),
                            symbol ? std::string(symbol->module) : std::string{}, address});
    }
  }

  void forget_counts() {
    for (LockRow& lock : out_.snapshot.locks) {
      if (lock.kind == LockKind::mutex) continue;
      lock.reader_count.reset();
      lock.writer_holds.reset();
      lock.holders.clear();
    }
    out_.snapshot.blind_spots.emplace_back(
        "rwsems of kernels before 5.3 do not say how many readers hold them");
  }

  const KernelMemory& memory_;
  const Vmcoreinfo& info_;
  std::vector<StackCopy> copies_;  // of the task with the same index
  Vmcore out_;
};

}  // namespace

Result<Vmcore> read_vmcore(const KernelMemory& memory, const Vmcoreinfo& info,
                           const VmcoreSources& sources) {
  if (info.empty()) return fail("VMCOREINFO is empty");
  return Reader(memory, info).read(sources);
}

}  // namespace stallproof
