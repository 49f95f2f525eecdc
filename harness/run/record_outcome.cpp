// SPDX-License-Identifier: Apache-2.0
#include "harness/run/record_outcome.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"

namespace stallproof {
namespace {

std::array<std::uint64_t, kMapCalls> counts_of(const MapProfile& profile) {
  std::array<std::uint64_t, kMapCalls> counts{};
  for (const MapOperation& each : profile.operations) ++counts[static_cast<std::size_t>(each.call)];
  return counts;
}

double per_second(const MapProfile& profile) {
  if (profile.duration_us == 0) return 0;
  return static_cast<double>(profile.operations.size()) * 1e6 /
         static_cast<double>(profile.duration_us);
}

std::string_view end_name(RecordEnd end) {
  switch (end) {
    case RecordEnd::duration:
      return "duration";
    case RecordEnd::process_ended:
      return "process ended";
    case RecordEnd::interrupted:
      return "interrupted";
    case RecordEnd::full:
      return "profile full";
  }
  return "unknown";
}

}  // namespace

std::vector<std::string> record_problems(const MapProfile& profile, const RecordOutcome& outcome) {
  std::vector<std::string> problems;
  if (profile.lost > 0)
    problems.push_back(fmt::format("incomplete: {} calls were lost", profile.lost));
  if (outcome.end == RecordEnd::full)
    problems.push_back(fmt::format("incomplete: the profile is full after {} calls by {} threads",
                                   profile.operations.size(), profile.threads));
  if (profile.operations.empty())
    problems.emplace_back(
        "nothing to replay: the process made no such call (32-bit programs and "
        "other pid namespaces are not seen)");
  return problems;
}

int record_exit_code(const MapProfile& profile, const RecordOutcome& outcome) {
  if (!record_problems(profile, outcome).empty()) return 3;
  return outcome.command_exit.value_or(0);
}

std::string record_sentence(const MapProfile& profile, const RecordOutcome& outcome) {
  std::string text =
      fmt::format("{} (pid {}): {} calls by {} threads in {}, {:.0f}/s", profile.comm, outcome.pid,
                  profile.operations.size(), profile.threads,
                  format_duration(profile.duration_us * 1000), per_second(profile));
  const auto counts = counts_of(profile);
  const char* separator = ": ";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += fmt::format("{}{} {}", separator, map_call_name(static_cast<MapCall>(i)), counts[i]);
    separator = ", ";
  }
  if (profile.failed > 0) text += fmt::format("; {} that failed are left out", profile.failed);
  if (profile.left_out > 0)
    text += fmt::format("; processes that it started are left out: {}", profile.left_out);
  if (!outcome.other_programs.empty())
    text += fmt::format(" ({})", fmt::join(outcome.other_programs, ", "));
  return text;
}

std::string record_json(const MapProfile& profile, const RecordOutcome& outcome) {
  using Json = nlohmann::ordered_json;
  Json calls = Json::object();
  const auto counts = counts_of(profile);
  for (std::size_t i = 0; i < counts.size(); ++i)
    calls[std::string(map_call_name(static_cast<MapCall>(i)))] = counts[i];
  const auto problems = record_problems(profile, outcome);
  const Json document{
      {"schema", "stallproof-record-1"},
      {"profile", outcome.path},
      {"pid", outcome.pid},
      {"comm", profile.comm},
      {"started", profile.started},
      {"duration_s", static_cast<double>(profile.duration_us) / 1e6},
      {"ended_by", end_name(outcome.end)},
      {"complete", problems.empty()},
      {"problems", problems},
      {"calls", profile.operations.size()},
      {"calls_per_second", per_second(profile)},
      {"by_call", calls},
      {"threads", profile.threads},
      {"lost", profile.lost},
      {"failed", profile.failed},
      {"left_out", {{"processes", profile.left_out}, {"programs", outcome.other_programs}}},
      {"command_exit", outcome.command_exit ? Json(*outcome.command_exit) : Json(nullptr)},
      {"command_runs_on", outcome.command_runs_on},
      {"exit_code", record_exit_code(profile, outcome)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
