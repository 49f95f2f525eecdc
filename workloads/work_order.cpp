// SPDX-License-Identifier: Apache-2.0
#include "workloads/work_order.h"

#include <fmt/format.h>
#include <sched.h>

#include <nlohmann/json.hpp>

#include "workloads/catalogue.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

Json schedule_json(const LoadSchedule& schedule) {
  Json phases = Json::array();
  for (const SchedulePhase& phase : schedule.phases)
    phases.push_back({{"duration", phase.duration}, {"on", phase.on}});
  return {{"start", schedule.start}, {"end", schedule.end}, {"phases", phases}};
}

LoadSchedule schedule_of(const Json& json) {
  LoadSchedule schedule{.start = json.at("start"), .end = json.at("end"), .phases = {}};
  for (const Json& phase : json.at("phases"))
    schedule.phases.push_back({.duration = phase.at("duration"), .on = phase.at("on")});
  return schedule;
}

LoadOrder load_of(const Json& json) {
  LoadOrder load{.name = json.at("name"),
                 .workload = json.at("workload"),
                 .file = json.at("file"),
                 .thread_names = json.at("thread_names"),
                 .cpus = json.at("cpus").get<std::vector<unsigned>>(),
                 .schedule = schedule_of(json.at("schedule")),
                 .settings = {}};
  for (const auto& [key, value] : json.at("settings").items())
    load.settings.set(key, value.get<std::string>());
  return load;
}

std::vector<unsigned> last_cpu() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return {};
  for (unsigned cpu = CPU_SETSIZE; cpu-- > 0;)
    if (CPU_ISSET(cpu, &mine)) return {cpu};
  return {};
}

}  // namespace

std::string thread_name(const std::string& names, unsigned index) {
  const std::string name = names == kUnnumberedThreads ? names : fmt::format("{}/{}", names, index);
  return name.substr(0, kThreadNameLength);
}

std::string work_order_json(const WorkOrder& order) {
  Json loads = Json::array();
  for (const LoadOrder& load : order.loads)
    loads.push_back({{"name", load.name},
                     {"workload", load.workload},
                     {"file", load.file},
                     {"thread_names", load.thread_names},
                     {"cpus", load.cpus},
                     {"schedule", schedule_json(load.schedule)},
                     {"settings", load.settings.all()}});
  return Json{{"name", order.name}, {"cpus", order.cpus}, {"loads", loads}}.dump();
}

Result<WorkOrder> work_order_of_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    WorkOrder order{
        .name = json.at("name"), .cpus = json.at("cpus").get<std::vector<unsigned>>(), .loads = {}};
    for (const Json& load : json.at("loads")) order.loads.push_back(load_of(load));
    return order;
  } catch (const Json::exception& error) {
    return fail(std::string("the order cannot be read: ") + error.what(), Origin::infra);
  }
}

WorkOrder order_for_board(const Board& board, const std::string& file, const Settings& settings) {
  WorkOrder order;
  const bool own_files = settings.text("own-files", "no") == "yes";
  const bool on_last_cpu = settings.text("last-cpu", "no") == "yes";
  for (const LoadEntry& entry : board.loads()) {
    if (find_workload(entry.name) == nullptr) continue;
    LoadOrder load;
    load.name = load.workload = entry.name;
    load.file = own_files ? fmt::format("{}-{}", file, entry.name) : file;
    if (on_last_cpu) load.cpus = last_cpu();
    load.settings = settings;
    order.loads.push_back(std::move(load));
  }
  return order;
}

}  // namespace stallproof
