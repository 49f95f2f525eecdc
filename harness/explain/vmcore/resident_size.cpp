// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/resident_size.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

namespace stallproof {
namespace {

// MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES (mm_types_task.h, 4.5 to 6.18); 2 counts swap.
constexpr std::array<std::uint32_t, 3> kResident{0, 1, 3};
constexpr std::uint32_t kMostCpus = 8192;

class Counters {
 public:
  Counters(const KernelMemory& memory, const KernelBtf& btf, const SymbolBook& book)
      : memory_(memory) {
    plain_ = btf.offset("mm_struct", {"rss_stat.count"});
    of_thread_ = btf.offset("task_struct", {"rss_stat.count"});
    if (plain_) return;
    per_cpu_ = btf.offset("mm_struct", {"rss_stat"});
    const auto bytes = btf.size("percpu_counter");
    const auto count = btf.offset("percpu_counter", {"count"});
    const auto parts = btf.offset("percpu_counter", {"counters"});
    if (!bytes || !count || !parts) per_cpu_.reset();
    bytes_ = bytes.value_or(0);
    count_ = count.value_or(0);
    parts_ = parts.value_or(0);
    const std::uint64_t offsets = book.variable("__per_cpu_offset");
    const auto cpus = memory.value<std::uint32_t>(book.variable("nr_cpu_ids")).value_or(0);
    for (std::uint32_t i = 0; offsets != 0 && i < std::min(cpus, kMostCpus); ++i)
      cpus_.push_back(memory.pointer(offsets + i * std::uint64_t{8}));
  }

  [[nodiscard]] std::optional<std::int64_t> of_space(std::uint64_t mm) const {
    if (!plain_ && !per_cpu_) return std::nullopt;
    std::int64_t sum = 0;
    for (const std::uint32_t which : kResident) {
      const auto part = plain_ ? memory_.value<std::int64_t>(mm + *plain_ + which * 8U)
                               : summed(mm + *per_cpu_ + std::uint64_t{which} * bytes_);
      if (!part) return std::nullopt;
      sum += *part;
    }
    return sum;
  }

  [[nodiscard]] std::int64_t of_thread(std::uint64_t task) const {
    std::int64_t sum = 0;
    if (!of_thread_) return sum;
    for (const std::uint32_t which : kResident)
      sum += memory_.value<std::int32_t>(task + *of_thread_ + which * 4U).value_or(0);
    return sum;
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> summed(std::uint64_t counter) const {
    auto sum = memory_.value<std::int64_t>(counter + count_);
    const std::uint64_t parts = memory_.pointer(counter + parts_);
    if (!sum || parts == 0) return sum;
    for (const std::uint64_t cpu : cpus_)
      *sum += memory_.value<std::int32_t>(cpu + parts).value_or(0);
    return sum;
  }

  const KernelMemory& memory_;
  std::optional<std::uint32_t> plain_, of_thread_, per_cpu_;
  std::uint32_t bytes_ = 0, count_ = 0, parts_ = 0;
  std::vector<std::uint64_t> cpus_;  // what is added to a per-CPU address, of each CPU
};

}  // namespace

void read_resident_sizes(const KernelMemory& memory, const KernelBtf& btf, const SymbolBook& book,
                         std::vector<DumpedTask>& tasks) {
  const Counters counters(memory, btf, book);
  std::unordered_map<std::uint64_t, std::int64_t> spaces;
  for (const DumpedTask& task : tasks) {
    if (task.mm == 0) continue;
    if (!spaces.contains(task.mm))
      if (const auto size = counters.of_space(task.mm)) spaces.emplace(task.mm, *size);
    if (const auto space = spaces.find(task.mm); space != spaces.end())
      space->second += counters.of_thread(task.address);
  }
  for (DumpedTask& task : tasks)
    if (const auto space = spaces.find(task.mm); space != spaces.end())
      task.resident = static_cast<std::uint64_t>(std::max<std::int64_t>(space->second, 0));
}

}  // namespace stallproof
