// SPDX-License-Identifier: Apache-2.0
#include "harness/run/before_incident.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/store/series_writer.h"

namespace stallproof {
namespace {

constexpr Nanos kMinute = 60 * kSecond;
// A tick or two more: the moment of detection itself belongs to the picture.
constexpr Nanos kAndALittle = 250 * kMillisecond;

bool in_the_minute(Nanos at, Nanos detected_ns) {
  return at + kMinute >= detected_ns && at <= detected_ns + kAndALittle;
}

// Completions of each load per tick in the minute before, oldest first.
std::string views_csv(const EvidenceArea& area, const std::vector<std::string>& load_names,
                      Nanos detected_ns) {
  std::string text = "at_ns";
  for (const std::string& name : load_names)
    text += fmt::format(",{0}_ops,{0}_in_flight", csv_word(name));
  text += '\n';
  for (const ViewRow& row : copy_views(area)) {
    if (!in_the_minute(row.at_ns, detected_ns)) continue;
    text += fmt::format("{}", row.at_ns);
    for (std::size_t load = 0; load < load_names.size() && load < kMaxLoads; ++load)
      text += fmt::format(",{},{}", row.ops[load], row.in_flight[load]);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string system_csv(const EvidenceArea& area, const std::vector<SystemRow>& rows) {
  const std::size_t disks =
      std::min<std::size_t>(area.disk_count.load(std::memory_order_acquire), kSystemDisks);
  std::string text = "at_ns,hung_tasks";
  for (const char* kind : {"io", "memory", "cpu"})
    text += fmt::format(",{0}_some_us,{0}_full_us,{0}_some_avg10,{0}_full_avg10", kind);
  for (std::size_t i = 0; i < disks; ++i)
    text += fmt::format(",{0}_completed,{0}_in_flight", area.disk_names[i].bytes.data());
  std::vector<std::size_t> connections;
  for (std::size_t i = 0; i < kSystemFuse; ++i) {
    const std::uint32_t number = area.watched_fuse[i].load();
    if (number == 0) continue;
    connections.push_back(i);
    text += fmt::format(",fuse_{}_waiting", number);
  }
  text += '\n';
  for (const SystemRow& row : rows) {
    text += fmt::format("{},{}", row.at_ns, row.hung_tasks);
    for (const PressureRow& each : row.pressure)
      text += fmt::format(",{},{},{:.2f},{:.2f}", each.some_us, each.full_us,
                          each.some_avg10 / 100.0, each.full_avg10 / 100.0);
    for (std::size_t i = 0; i < disks; ++i)
      text += fmt::format(",{},{}", row.disks[i].completed, row.disks[i].in_flight);
    for (const std::size_t i : connections) text += fmt::format(",{}", row.fuse_waiting[i]);
    text += '\n';
  }
  return text;
}

void save_before(RunDir& run, const std::string& folder, const EvidenceArea& area,
                 const std::vector<std::string>& load_names, const LiveLens& lens,
                 Nanos detected_ns) {
  std::vector<SystemRow> rows = copy_system_rows(area);
  std::erase_if(
      rows, [detected_ns](const SystemRow& row) { return !in_the_minute(row.at_ns, detected_ns); });
  run.save(folder + "views.csv", views_csv(area, load_names, detected_ns));
  run.save(folder + "system.csv", system_csv(area, rows));
  const std::uint64_t since = rows.empty() ? 0 : rows.front().kmsg_written;
  run.save(folder + "kmsg.txt", copy_kernel_log(area, since));
  const std::string unseen =
      area.scan_problem[0] == '\0' ? "" : fmt::format("not seen: {}\n", area.scan_problem.data());
  run.save(folder + "blocked.txt", unseen + lens.blocked_before(detected_ns));
}

}  // namespace stallproof
