// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/repro_from_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

const char* how_matched(const ChosenScenario& chosen) {
  if (chosen.recorded) return chosen.exact ? "recorded, same signature" : "recorded, same class";
  return chosen.exact ? "same signature" : "same class only";
}

std::string words_of(const ScenarioRequest& request) {
  std::string text;
  for (const auto& [name, value] : request.params.all())
    text += fmt::format(" --param {}={}", name, value);
  return text;
}

std::string command_of(const ReproFromResult& result) {
  return fmt::format("stallproof repro {}{}{}{}", result.chosen->scenario->id,
                     result.request.variant.empty() ? "" : " --variant " + result.request.variant,
                     result.request.fix.empty() ? "" : " --fix " + result.request.fix,
                     words_of(result.request));
}

std::string nodes_text(const ExplanationComparison& comparison) {
  std::size_t part = 0;
  std::size_t left = std::string("reported").size();
  for (const NodePair& pair : comparison.nodes) {
    part = std::max(part, pair.part.size());
    left = std::max(left, pair.reported.size());
  }
  std::string text = fmt::format("  {:{}}  {:{}}     here\n", "", part, "reported", left);
  for (const NodePair& pair : comparison.nodes)
    text +=
        fmt::format("  {:{}}  {:{}}  {}  {}\n", pair.part, part,
                    pair.reported.empty() ? "(none)" : pair.reported, left, pair.same ? "=" : "≠",
                    pair.reproduced.empty() ? "(none)" : pair.reproduced);
  for (const auto& [role, count] : comparison.roles)
    text +=
        fmt::format("  {} tasks: {} reported, {} here\n", role, count.reported, count.reproduced);
  return text;
}

std::string smallest_text(const ReproFromResult& result) {
  const Smallest& smallest = *result.smallest;
  std::vector<std::string> words;
  for (const auto& [name, count] : smallest.numbers) {
    const std::uint64_t begin = smallest.begin.at(name);
    words.push_back(fmt::format("{}={}{}", name, count,
                                begin == count ? "" : fmt::format(" (from {})", begin)));
  }
  return fmt::format("smallest: {} ({} trials{})\n", fmt::join(words, " "), smallest.trials,
                     smallest.complete    ? ""
                     : result.interrupted ? "; interrupted before all were tried"
                                          : "; the time was over before all were tried");
}

Json comparison_json(const ExplanationComparison& comparison) {
  Json nodes = Json::array();
  for (const NodePair& pair : comparison.nodes)
    nodes.push_back(
        {{"part", pair.part},
         {"reported", pair.reported.empty() ? Json(nullptr) : Json(pair.reported)},
         {"reproduced", pair.reproduced.empty() ? Json(nullptr) : Json(pair.reproduced)},
         {"same", pair.same}});
  Json roles = Json::object();
  for (const auto& [role, count] : comparison.roles)
    roles[role] = {{"reported", count.reported}, {"reproduced", count.reproduced}};
  return {{"same_class", comparison.same_class},
          {"same_signature", comparison.same_signature},
          {"same_nodes", comparison.same_nodes()},
          {"nodes", nodes},
          {"roles", roles}};
}

Json smallest_json(const Smallest& smallest) {
  return {{"from", smallest.begin},
          {"threads", smallest.numbers},
          {"trials", smallest.trials},
          {"complete", smallest.complete}};
}

}  // namespace

bool made_again(const ReproFromResult& result) {
  if (!result.comparison || !result.comparison->same_class) return false;
  const auto& known = result.chosen->signatures;
  return result.comparison->same_signature || !result.chosen->exact ||
         std::find(known.begin(), known.end(), result.reproduced_signature) != known.end();
}

std::string heading_text(const ReproFromResult& result) {
  return fmt::format("reported: {}, by {}\nscenario: {} ({})\n{}\n\n",
                     result.stall.explanation.signature, result.stall.source,
                     result.chosen->scenario->id, how_matched(*result.chosen), command_of(result));
}

std::string result_text(const ReproFromResult& result, int code) {
  if (!result.comparison)
    return fmt::format("not reproduced: {} did not come (exit {})\n",
                       result.stall.explanation.signature, code);
  const ExplanationComparison& comparison = *result.comparison;
  const char* verdict = "reproduced, but explained otherwise";
  if (comparison.same_signature)
    verdict = "reproduced: same signature";
  else if (made_again(result))
    verdict = result.chosen->exact ? "reproduced: another signature of the same scenario"
                                   : "reproduced: same class, another signature";
  std::string text = "\ncompared with the report:\n" + nodes_text(comparison);
  if (result.smallest) text += smallest_text(result);
  if (result.interrupted && !result.smallest) text += "interrupted\n";
  return text + verdict + "\n";
}

std::string result_json(const ReproFromResult& result, int code) {
  Json json;
  json["reported"] = {{"source", result.stall.source},
                      {"class", result.stall.explanation.stall_class},
                      {"signature", result.stall.explanation.signature}};
  json["match"] = {{"scenario", result.chosen->scenario->id},
                   {"variant", result.request.variant},
                   {"fix", result.request.fix.empty() ? Json(nullptr) : Json(result.request.fix)},
                   {"how", how_matched(*result.chosen)},
                   {"exact", result.chosen->exact}};
  json["params"] = result.request.params.all();
  json["run"] = result.run;
  json["reproduced"] = result.comparison.has_value();
  json["comparison"] = result.comparison ? comparison_json(*result.comparison) : Json(nullptr);
  json["smallest"] = result.smallest ? smallest_json(*result.smallest) : Json(nullptr);
  json["interrupted"] = result.interrupted;
  json["exit_code"] = code;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
