// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/json_lines.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/sink/load_rates.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

Json load_json(const LoadFigures* before, const LoadFigures& now, Nanos span) {
  const LoadRate rate = before == nullptr ? LoadRate{} : rate_between(*before, now, span);
  Json load{{"load", now.name},
            {"ops", now.ops},
            {"bytes", now.bytes},
            {"errors", now.errors},
            {"mismatches", now.mismatches},
            {"ops_per_s", rounded(rate.ops_per_s)},
            {"bytes_per_s", rounded(rate.bytes_per_s)},
            {"in_flight", now.in_flight},
            {"oldest_ms", rounded(static_cast<double>(now.oldest_age_ns) / 1e6)},
            {"oldest_op", now.op.empty() ? Json(nullptr) : Json(now.op)}};
  load["p99_us_interpolated"] = rate.p99_us ? Json(rounded(*rate.p99_us)) : Json(nullptr);
  return load;
}

Json observer_json(const ObserverFigures& observer) {
  return {{"loop_lag_max_s", observer.loop_lag_max_s},
          {"gaps", observer.gaps},
          {"kmsg_lost", observer.kmsg_lost},
          {"events_dropped", observer.events_dropped},
          {"blind_spots", observer.blind_spots}};
}

}  // namespace

std::string figures_json(const RunFigures& before, const RunFigures& now, Nanos started_ns) {
  const Nanos since = now.taken_ns > started_ns ? now.taken_ns - started_ns : 0;
  Json loads = Json::array();
  for (const LoadFigures& load : now.loads)
    loads.push_back(load_json(find_load(before, load.name), load, now.taken_ns - before.taken_ns));
  const Json document{{"t_ms", rounded(static_cast<double>(since) / 1e6)},
                      {"event", "figures"},
                      {"loads", loads},
                      {"mmap_lock",
                       {{"read_waiters", now.mmap_lock.read_waiters},
                        {"write_waiters", now.mmap_lock.write_waiters},
                        {"oldest_wait_s", now.mmap_lock.oldest_wait_s}}},
                      {"blocked_tasks", now.system.blocked_tasks},
                      {"observer", observer_json(now.observer)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonLines::on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) {
  started_ns_ = news.started_ns;
  seconds_.begin(std::move(source), news.started_ns);
}

void JsonLines::on_pass(Nanos now, std::string_view) {
  if (over_ || !seconds_.take_if_due(now)) return;
  console_.json_line(figures_json(seconds_.before(), seconds_.now(), started_ns_));
}

}  // namespace stallproof
