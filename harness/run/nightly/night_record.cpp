// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

bool was_refused(const NightRecord& record) { return !record.unclean.empty() && !record.accepted; }

std::string outcome_of(int code) { return code == 0 ? "pass" : code == 1 ? "fail" : "unknown"; }

std::string lines(const char* heading, const std::vector<std::string>& all) {
  if (all.empty()) return {};
  std::string text = fmt::format("{}:\n", heading);
  for (const std::string& line : all) text += "  " + line + "\n";
  return text;
}

// Why a target proves nothing by itself; empty: its run speaks for it.
std::string trouble(const NightTarget& target) {
  if (target.problem.empty()) return {};
  return (target.target.empty() ? "the run" : target.target) + ": " + target.problem;
}

std::vector<std::string> troubles(const NightRecord& record) {
  std::vector<std::string> all;
  for (const NightTarget& target : record.targets)
    if (std::string line = trouble(target); !line.empty()) all.push_back(std::move(line));
  return all;
}

std::string first_and_count(const std::vector<std::string>& all) {
  return all.size() == 1 ? all[0] : fmt::format("{} (and {} more)", all[0], all.size() - 1);
}

std::string gate_sentence_of(const NightRecord& record) {
  if (record.gate_text.empty()) return {};
  return record.gate_text.substr(0, record.gate_text.find('\n'));
}

}  // namespace

int night_exit_code(const NightRecord& record) {
  std::vector<int> codes{record.gate_code.value_or(3)};
  if (was_refused(record) || record.interrupted || !record.problems.empty()) codes.push_back(3);
  for (const NightTarget& target : record.targets)
    if (!target.problem.empty()) codes.push_back(target.problem_code);
  for (const int code : {2, 1, 3})
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) return code;
  return 0;
}

std::string night_sentence(const NightRecord& record) {
  if (was_refused(record)) return "UNKNOWN: node is not clean: " + first_and_count(record.unclean);
  std::string sentence = gate_sentence_of(record);
  if (sentence.empty()) sentence = "UNKNOWN: nothing was run";
  if (record.interrupted) sentence += "; the night was interrupted";
  if (const auto all = troubles(record); !all.empty()) sentence += "; " + first_and_count(all);
  if (!record.problems.empty()) sentence += "; " + first_and_count(record.problems);
  if (!record.unclean.empty())
    sentence += "; the node was not clean: " + first_and_count(record.unclean);
  return sentence;
}

std::string night_text(const NightRecord& record) {
  std::string text = night_sentence(record) + "\n";
  text += lines("not clean", record.unclean);
  if (was_refused(record))
    text += "  (mend it, or go on with stallproof run FILE --accept-unclean)\n";
  text += lines("left by earlier runs", record.cleaned);
  text += lines("targets", troubles(record));
  text += lines("the night itself", record.problems);
  const std::size_t end = record.gate_text.find('\n');
  if (end != std::string::npos) text += record.gate_text.substr(end + 1);
  text += lines("runs", record.runs);
  text += lines("removed", record.kept.removed);
  text += lines("kept although older or more than wanted, for the only incident of a signature",
                record.kept.only_one);
  text += lines("not removed", record.kept.problems);
  return text + fmt::format("all of it: {}/nights/{}\n", record.output, record.id);
}

std::string night_json(const NightRecord& record) {
  const int code = night_exit_code(record);
  Json targets = Json::array();
  for (const NightTarget& each : record.targets)
    targets.push_back({{"target", each.target},
                       {"command", each.command.empty() ? Json() : Json(each.command)},
                       {"exit_code", each.exit_code ? Json(*each.exit_code) : Json()},
                       {"problem", each.problem.empty() ? Json() : Json(each.problem)}});
  const Json json{{"schema", 1},
                  {"night", record.id},
                  {"verdict", outcome_of(code)},
                  {"exit_code", code},
                  {"sentence", night_sentence(record)},
                  {"file", record.file},
                  {"output", record.output},
                  {"labels", record.labels},
                  {"started", record.started},
                  {"ended", record.ended},
                  {"cleaned", record.cleaned},
                  {"unclean", record.unclean},
                  {"accepted", record.accepted},
                  {"interrupted", record.interrupted},
                  {"targets", targets},
                  {"runs", record.runs},
                  {"gate_exit_code", record.gate_code ? Json(*record.gate_code) : Json()},
                  {"kept",
                   {{"bytes", record.kept.bytes},
                    {"removed", record.kept.removed},
                    {"only_incident", record.kept.only_one},
                    {"problems", record.kept.problems}}},
                  {"problems", record.problems}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
