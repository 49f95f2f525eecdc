// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_counters.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <functional>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kReadLimit = 100 * kMillisecond;  // for one process
constexpr Nanos kAllReads = 300 * kMillisecond;   // for all of them

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

void each_line(std::string_view text, const std::function<void(std::string_view)>& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::uint64_t number(std::string_view word) {
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

// The field of the totals that a name stands for; null for names of no interest.
std::uint64_t* field_of(TargetIo& totals, std::string_view name) {
  if (name == "syscr" || name == "rios" || name == "Read") return &totals.reads;
  if (name == "syscw" || name == "wios" || name == "Write") return &totals.writes;
  if (name == "read_bytes" || name == "rbytes") return &totals.read_bytes;
  if (name == "write_bytes" || name == "wbytes") return &totals.write_bytes;
  return nullptr;
}

void add_to(std::optional<TargetIo>& sum, std::string_view name, std::string_view value) {
  if (!sum) sum = TargetIo{};
  if (std::uint64_t* const field = field_of(*sum, name)) *field += number(value);
}

std::string growth(const std::optional<TargetIo>& now, const std::optional<TargetIo>& before) {
  if (!now || !before) return ",,,";
  const auto grown = [](std::uint64_t late, std::uint64_t early) {
    return late > early ? late - early : 0;
  };
  return fmt::format("{},{},{},{}", grown(now->reads, before->reads),
                     grown(now->writes, before->writes), grown(now->read_bytes, before->read_bytes),
                     grown(now->write_bytes, before->write_bytes));
}

std::optional<TargetIo> totals_of(const std::optional<DiskTotals>& disk) {
  return disk ? std::optional(disk->totals) : std::nullopt;
}

std::optional<TargetIo> read_group(const std::string& directory) {
  if (directory.empty()) return std::nullopt;
  if (const auto text = read_file(directory + "/io.stat"))
    return parse_cgroup_io_stat(*text).value_or(TargetIo{});
  for (const char* name : {"/blkio.throttle.io_serviced_recursive", "/blkio.throttle.io_serviced"})
    if (const auto text = read_file(directory + name)) return parse_cgroup_serviced(*text);
  return std::nullopt;
}

}  // namespace

std::optional<TargetIo> parse_process_io(std::string_view text) {
  std::optional<TargetIo> totals;
  each_line(text, [&totals](std::string_view line) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos)
      add_to(totals, line.substr(0, colon), line.substr(colon + 2));
  });
  return totals;
}

std::optional<TargetIo> parse_cgroup_io_stat(std::string_view text) {
  std::optional<TargetIo> totals;
  each_line(text, [&totals](std::string_view line) {
    for (const std::string_view word : words_of(line)) {
      const std::size_t equals = word.find('=');
      if (equals != std::string_view::npos)
        add_to(totals, word.substr(0, equals), word.substr(equals + 1));
    }
  });
  return totals;
}

std::optional<TargetIo> parse_cgroup_serviced(std::string_view text) {
  std::optional<TargetIo> totals;
  each_line(text, [&totals](std::string_view line) {
    const auto words = words_of(line);
    if (words.size() == 3) add_to(totals, words[1], words[2]);
    if (words.size() == 2 && !totals) totals = TargetIo{};  // "Total 0" alone: nothing yet
  });
  return totals;
}

std::optional<DiskTotals> parse_diskstats(std::string_view text, std::string_view device) {
  std::optional<DiskTotals> found;
  each_line(text, [&](std::string_view line) {
    const auto words = words_of(line);
    if (words.size() < 12 || fmt::format("{} {}", words[0], words[1]) != device) return;
    // Documentation/admin-guide/iostats.rst: reads, sectors read, writes, sectors, in flight.
    found = DiskTotals{.totals = {.reads = number(words[3]),
                                  .writes = number(words[7]),
                                  .read_bytes = number(words[5]) * 512,
                                  .write_bytes = number(words[9]) * 512},
                       .in_flight = number(words[11])};
  });
  return found;
}

std::optional<TargetIo> TargetCounters::read_processes(const std::vector<pid_t>& tgids,
                                                       ProbeChild* probe) {
  calls_.assign(tgids.size(), 0);
  std::optional<TargetIo> sum;
  const Deadline all = Deadline::in(kAllReads);
  for (std::size_t i = 0; probe != nullptr && i < tgids.size() && !all.passed(); ++i) {
    const auto text = probe->read(fmt::format("/proc/{}/io", tgids[i]), Deadline::in(kReadLimit));
    const auto one = text ? parse_process_io(*text) : std::nullopt;
    if (!one) continue;
    calls_[i] = one->reads + one->writes;
    if (!sum) sum = TargetIo{};
    sum->reads += one->reads;
    sum->writes += one->writes;
    sum->read_bytes += one->read_bytes;
    sum->write_bytes += one->write_bytes;
  }
  return sum;
}

void TargetCounters::sample(Nanos now, const WatchTarget& target, const std::vector<pid_t>& tgids,
                            const EvidenceArea& area, ProbeChild* probe) {
  Row row{.at_ns = now};
  if (const auto view = newest_view(area)) {
    for (const std::uint64_t ops : view->ops) row.completed += ops;
    for (const std::uint32_t flying : view->in_flight) row.in_flight += flying;
  }
  row.processes = read_processes(tgids, probe);
  row.group = read_group(target.cgroup());
  if (!target.device().empty()) {
    const auto text = read_file("/proc/diskstats");
    if (text) row.disk = parse_diskstats(*text, target.device());
  }
  before_ = last_;
  last_ = row;
  if (first_.at_ns == 0) first_ = row;
}

std::string TargetCounters::csv_header() {
  std::string text = "t_ms,completed,in_flight";
  for (const char* source : {"process", "cgroup", "disk"})
    text += fmt::format(",{0}_reads,{0}_writes,{0}_read_bytes,{0}_write_bytes", source);
  return text + ",disk_in_flight\n";
}

std::string TargetCounters::csv_row(const RunClock& clock) const {
  if (before_.at_ns == 0) return "";
  return fmt::format("{:.0f},{},{},{},{},{},{}\n", clock.ms(last_.at_ns),
                     last_.completed > before_.completed ? last_.completed - before_.completed : 0,
                     last_.in_flight, growth(last_.processes, before_.processes),
                     growth(last_.group, before_.group),
                     growth(totals_of(last_.disk), totals_of(before_.disk)),
                     last_.disk ? std::to_string(last_.disk->in_flight) : "");
}

}  // namespace stallproof
