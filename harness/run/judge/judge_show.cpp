// SPDX-License-Identifier: Apache-2.0
#include "harness/run/judge/judge_show.h"

#include <fmt/format.h>

#include "harness/base/units.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kRowsTold = 50;

std::string seconds(double ms) { return fmt::format("{:.3f} s", ms / 1e3); }

std::string thresholds_words(const Thresholds& thresholds) {
  return fmt::format("{} / {} / {:g} %", format_duration(thresholds.stall_after),
                     format_duration(thresholds.fail_after), thresholds.dropout_below * 100);
}

struct Sums {
  std::size_t stalls = 0, failing = 0, dropouts = 0;
  double dropout_ms = 0;
  [[nodiscard]] std::string stall_words() const {
    return fmt::format("{}, {} failing", stalls, failing);
  }
  [[nodiscard]] std::string dropout_words() const {
    return fmt::format("{}, {:.1f} s", dropouts, dropout_ms / 1e3);
  }
};

void add(Sums& sums, const std::vector<DropoutEntry>& dropouts) {
  sums.dropouts = dropouts.size();
  for (const DropoutEntry& each : dropouts) sums.dropout_ms += each.duration_ms;
}

Sums sums_before(const JudgedRun& judged) {
  Sums sums;
  if (!judged.run.verdict) return sums;
  sums.stalls = judged.run.verdict->stalls.size();
  for (const StallEntry& each : judged.run.verdict->stalls) sums.failing += each.failing ? 1 : 0;
  add(sums, judged.run.verdict->dropouts);
  return sums;
}

Sums sums_now(const JudgedRun& judged) {
  Sums sums;
  for (const JudgedStall& each : judged.stalls) {
    sums.stalls += each.is_stall ? 1 : 0;
    sums.failing += each.is_failing ? 1 : 0;
  }
  add(sums, judged.dropouts);
  return sums;
}

const char* word_of(bool stall, bool failing) {
  if (!stall) return "-";
  return failing ? "failing" : "stall";
}

std::string length_words(const JudgedStall& stall) {
  if (!stall.resolved_ms) return "never over";
  const double lasted = *stall.resolved_ms - stall.onset_ms;
  if (stall.inexact_ms == 0) return seconds(lasted);
  return fmt::format("{:.1f} to {:.1f} s", lasted / 1e3, (lasted + stall.inexact_ms) / 1e3);
}

std::string stalls_text(const JudgedRun& judged) {
  if (judged.stalls.empty()) return "";
  std::string text = fmt::format("\n  {:<14} {:<18} {:<10} {:<10} {}\n", "onset", "lasted", "own",
                                 "now", "incident, loads");
  for (std::size_t i = 0; i < std::min(judged.stalls.size(), kRowsTold); ++i) {
    const JudgedStall& each = judged.stalls[i];
    text += fmt::format("  +{:<13} {:<18} {:<10} {:<10} {} {}{}\n", seconds(each.onset_ms),
                        length_words(each), word_of(!each.id.empty(), each.was_failing),
                        word_of(each.is_stall, each.is_failing),
                        each.id.empty() ? "no incident" : each.id, fmt::join(each.loads, " "),
                        each.in_circle ? " (a circle of waits, found twice)" : "");
  }
  if (judged.stalls.size() > kRowsTold)
    text += fmt::format("  and {} more\n", judged.stalls.size() - kRowsTold);
  return text;
}

std::string doubts_text(const JudgedRun& judged) {
  if (judged.doubts.empty()) return "";
  std::string text = "\n  where rows of a second leave room for a stall:\n";
  for (std::size_t i = 0; i < std::min(judged.doubts.size(), kRowsTold); ++i) {
    const JudgedDoubt& each = judged.doubts[i];
    text += fmt::format("  +{} to +{}  {}{}\n", seconds(each.from_ms), seconds(each.until_ms),
                        each.load, each.may_fail ? ", it could be a failing one" : "");
  }
  if (judged.doubts.size() > kRowsTold)
    text += fmt::format("  and {} more\n", judged.doubts.size() - kRowsTold);
  return text;
}

Json thresholds_json(const Thresholds& thresholds) {
  return {{"stall_after_ms", static_cast<double>(thresholds.stall_after) / 1e6},
          {"fail_after_ms", static_cast<double>(thresholds.fail_after) / 1e6},
          {"dropout_below", thresholds.dropout_below}};
}

Json sums_json(const Sums& sums) {
  return {{"stalls", sums.stalls},
          {"failing", sums.failing},
          {"dropouts", sums.dropouts},
          {"dropout_s", sums.dropout_ms / 1e3}};
}

Json stall_json(const JudgedStall& each) {
  return {{"incident", each.id.empty() ? Json(nullptr) : Json(each.id)},
          {"loads", each.loads},
          {"onset_ms", each.onset_ms},
          {"resolved_ms", each.resolved_ms ? Json(*each.resolved_ms) : Json(nullptr)},
          {"inexact_ms", each.inexact_ms},
          {"in_circle", each.in_circle},
          {"before", word_of(!each.id.empty(), each.was_failing)},
          {"after", word_of(each.is_stall, each.is_failing)}};
}

}  // namespace

std::string judged_text(const JudgedRun& judged) {
  const bool ended = judged.run.verdict.has_value();
  const Sums before = sums_before(judged), now = sums_now(judged);
  std::string text = fmt::format("run {} in {}\n", judged.run.id, judged.run.directory);
  if (ended && !judged.run.verdict->scenario.empty())
    text +=
        "  a reproduction: its own verdict says whether it kept its promise, this one whether it "
        "stalled\n";
  text += fmt::format(
      "  judged over {:.0f} s: {:.0f} s by looks of 100 ms, the rest by rows of a second, where "
      "an onset is known within a second\n",
      judged.judged_ms / 1e3, judged.fine_ms / 1e3);
  const auto row = [&text](std::string_view what, std::string_view own, std::string_view after) {
    text += fmt::format("  {:<26} {:<24} {}\n", what, own, after);
  };
  row("", "its own", "now");
  row("stall / fail / dropout", ended ? thresholds_words(judged.before) : "not known",
      thresholds_words(judged.now));
  row("verdict", ended ? outcome_name(judged.run.verdict->outcome) : "none",
      outcome_name(judged.outcome.outcome));
  row("stalls", ended ? before.stall_words() : "-", now.stall_words());
  row("dropouts", ended ? before.dropout_words() : "-", now.dropout_words());
  if (judged.own_thresholds)
    text += "  loads with thresholds of their own keep what is not given\n";
  text += stalls_text(judged) + doubts_text(judged) + "\n";
  for (const std::string& reason : judged.outcome.reasons)
    text += fmt::format("  {}: {}\n", outcome_name(judged.outcome.outcome), reason);
  for (const std::string& note : judged.notes) text += fmt::format("  {}\n", note);
  return text;
}

Json judged_json(const JudgedRun& judged) {
  const bool ended = judged.run.verdict.has_value();
  Json stalls = Json::array(), doubts = Json::array(), dropouts = Json::array();
  for (const JudgedStall& each : judged.stalls) stalls.push_back(stall_json(each));
  for (const JudgedDoubt& each : judged.doubts)
    doubts.push_back({{"load", each.load},
                      {"from_ms", each.from_ms},
                      {"until_ms", each.until_ms},
                      {"may_fail", each.may_fail}});
  for (const DropoutEntry& each : judged.dropouts)
    dropouts.push_back({{"workload", each.workload},
                        {"start_ms", each.start_ms},
                        {"duration_ms", each.duration_ms},
                        {"min_ratio", each.min_ratio}});
  Json before = nullptr;
  if (ended) {
    before = sums_json(sums_before(judged));
    before["verdict"] = outcome_name(judged.run.verdict->outcome);
    before["thresholds"] = thresholds_json(judged.before);
  }
  Json after = sums_json(sums_now(judged));
  after["verdict"] = outcome_name(judged.outcome.outcome);
  after["exit_code"] = judged.outcome.exit_code;
  after["reasons"] = judged.outcome.reasons;
  after["thresholds"] = thresholds_json(judged.now);
  return {{"run", judged.run.id},
          {"directory", judged.run.directory},
          {"judged_ms", judged.judged_ms},
          {"by_100_ms_looks_ms", judged.fine_ms},
          {"before", before},
          {"after", after},
          {"stalls", stalls},
          {"possible", doubts},
          {"dropouts", dropouts},
          {"notes", judged.notes}};
}

}  // namespace stallproof
