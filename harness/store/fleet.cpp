// SPDX-License-Identifier: Apache-2.0
#include "harness/store/fleet.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/base/json_fields.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

Json rounded_or_null(const std::optional<double>& value) {
  return value ? Json(rounded(*value)) : Json(nullptr);
}

Json word_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json node_json(const NodeEntry& node) {
  return {{"node", node.node},
          {"standing", node.standing},
          {"verdict", word_or_null(node.verdict)},
          {"why", node.why},
          {"run", word_or_null(node.run)},
          {"directory", word_or_null(node.directory)},
          {"start_ms", rounded(node.start_ms)},
          {"duration_s", rounded(node.duration_s)},
          {"stalls", node.stalls},
          {"failing_stalls", node.failing_stalls},
          {"dropouts", node.dropouts},
          {"ops", node.ops},
          {"bytes", node.bytes},
          {"p99_us", rounded_or_null(node.p99_us)},
          {"max_us", rounded_or_null(node.max_us)},
          {"clock_offset_ms", rounded_or_null(node.clock_offset_ms)},
          {"clock_error_ms", rounded_or_null(node.clock_error_ms)},
          {"start_late_ms", rounded_or_null(node.start_late_ms)}};
}

Json together_json(const TogetherEntry& each) {
  return {{"onset_ms", rounded(each.onset_ms)},
          {"within_ms", rounded(each.within_ms)},
          {"failing", each.failing},
          {"nodes", each.nodes},
          {"signatures", each.signatures},
          {"stalls", each.stalls}};
}

NodeEntry node_of(JsonFields& in) {
  NodeEntry node;
  for (const char* key : {"node", "standing"}) in.require(key);
  in.text("node", node.node);
  in.text("standing", node.standing);
  in.text_or_null("verdict", node.verdict);
  in.text("why", node.why);
  in.text_or_null("run", node.run);
  in.text_or_null("directory", node.directory);
  in.amount("start_ms", node.start_ms);
  in.amount("duration_s", node.duration_s);
  in.count("stalls", node.stalls);
  in.count("failing_stalls", node.failing_stalls);
  in.count("dropouts", node.dropouts);
  in.count("ops", node.ops);
  in.count("bytes", node.bytes);
  in.maybe("p99_us", node.p99_us);
  in.maybe("max_us", node.max_us);
  in.maybe_number("clock_offset_ms", node.clock_offset_ms);
  in.maybe("clock_error_ms", node.clock_error_ms);
  in.maybe_number("start_late_ms", node.start_late_ms);
  return node;
}

TogetherEntry together_of(JsonFields& in) {
  TogetherEntry each;
  in.amount("onset_ms", each.onset_ms);
  in.amount("within_ms", each.within_ms);
  in.flag("failing", each.failing);
  in.texts("nodes", each.nodes);
  in.texts("signatures", each.signatures);
  in.texts("stalls", each.stalls);
  return each;
}

}  // namespace

void add_fleet(const FleetEntry& fleet, Json& document) {
  if (fleet.empty()) return;
  Json nodes = Json::array(), together = Json::array();
  for (const NodeEntry& node : fleet.nodes) nodes.push_back(node_json(node));
  for (const TogetherEntry& each : fleet.together) together.push_back(together_json(each));
  document["node_hours"] = fleet.node_hours;
  document["nodes"] = std::move(nodes);
  document["together"] = std::move(together);
}

void read_fleet(JsonFields& in, FleetEntry& fleet) {
  in.amount("node_hours", fleet.node_hours);
  in.each("nodes", [&](JsonFields& below) { fleet.nodes.push_back(node_of(below)); });
  in.each("together", [&](JsonFields& below) { fleet.together.push_back(together_of(below)); });
}

}  // namespace stallproof
