// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_news.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/node_name.h"

namespace stallproof {

StallNews stall_news(const IncidentRecord& incident, const RunClock& clock,
                     const std::vector<std::string>& load_names) {
  StallNews news{.id = incident.id(),
                 .stall_class = incident.stall_class(),
                 .sources = incident.sources(),
                 .onset_ms = clock.ms(incident.onset_ns),
                 .detected_ms = clock.ms(incident.detected_ns),
                 .path = "incidents/" + incident.id()};
  for (std::size_t i = 0; i < load_names.size() && i < kMaxLoads; ++i)
    if ((incident.stalled & (1U << i)) != 0) news.loads.push_back(load_names[i]);
  news.counted_only = incident.kept == Kept::counted;
  if (incident.resolved_ns) news.resolved_ms = clock.ms(*incident.resolved_ns);
  if (incident.allowed_ns) news.allowed_ms = static_cast<double>(*incident.allowed_ns) / 1e6;
  if (!incident.explanation) return news;
  news.signature = incident.explanation->signature;
  news.summary = incident.explanation->summary;
  news.in_circle = incident.explanation->cycle.has_value();
  return news;
}

std::string stall_event(std::string_view event, std::string_view prefix, const StallNews& news,
                        double t_ms) {
  nlohmann::ordered_json line{{"event", fmt::format("{}{}", prefix, event)}, {"incident", news.id}};
  if (event == "stall") {
    line["onset_ms"] = news.onset_ms;
    line["detected_ms"] = news.detected_ms;
    line["loads"] = news.loads;
  } else if (event == "explained") {
    line["class"] = news.stall_class;
    line["signature"] = news.signature;
  } else if (event == "stall_resolved") {
    line["at_ms"] = news.resolved_ms.value_or(t_ms);
    line["class"] = news.stall_class;
    line["signature"] = news.signature.empty() ? "unknown" : news.signature;
    line["evidence"] = news.counted_only ? "counted" : "full";
  }
  return fmt::format("{{\"t_ms\":{:.3f},{}", t_ms, std::string_view(line.dump()).substr(1));
}

DropoutNews dropout_news(const DropoutRecord& dropout, const RunClock& clock,
                         const std::vector<std::string>& load_names) {
  DropoutNews news{
      .workload = dropout.load < load_names.size() ? load_names[dropout.load] : "unknown",
      .start_ms = clock.ms(dropout.since_ns),
      .ratio = dropout.ratio};
  if (dropout.until_ns) news.end_ms = clock.ms(*dropout.until_ns);
  return news;
}

RunNews run_news(RunNews known, const RunDir& run, const RunClock& clock) {
  utsname name{};
  ::uname(&name);
  known.run = run.id();
  known.dir = run.path();
  known.node = node_name();
  known.kernel = name.release;
  known.started_ns = clock.monotonic_ns;
  return known;
}

}  // namespace stallproof
