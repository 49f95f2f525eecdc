// SPDX-License-Identifier: Apache-2.0
#include "harness/run/verdict_delivery.h"

#include <fmt/format.h>

#include <exception>

#include "harness/gate/run_suite.h"
#include "harness/sink/report/report.h"
#include "harness/store/history_record.h"
#include "harness/store/run_read.h"

namespace stallproof {

void tell_history(const RunDir& run, Console& console, bool stdout_is_ours) {
  const HistoryTold told = record_in_history(run.path());
  for (const std::string& line : told.seen)
    stdout_is_ours ? console.result(line) : console.problem(line);
  if (!told.problem.empty())
    console.problem(fmt::format("the run is not in the history yet: {}", told.problem));
}

void take_notes(Verdict& verdict, const RunFeed* feed) {
  if (feed == nullptr) return;
  for (std::string& note : feed->notes()) verdict.notes.push_back(std::move(note));
}

void save_junit(RunDir& run) {
  if (const auto stored = read_run(run.path())) run.save("junit.xml", run_junit(*stored));
}

int deliver_verdict(RunDir& run, Console& console, const Verdict& given,
                    const std::vector<std::string>& notes, const RunFeed* feed) {
  run.free_reserve();
  run.save("verdict.json", verdict_json(given));  // notes may take their time
  Verdict verdict = given;
  take_notes(verdict, feed);
  const std::string json = verdict_json(verdict);
  if (!verdict.notes.empty()) run.save("verdict.json", json);
  save_junit(run);
  console.document(json);
  for (const std::string& reason : verdict.reasons)
    console.result(fmt::format("{}: {}", outcome_name(verdict.outcome), reason));
  for (const std::string& note : notes) console.result(note);
  for (const std::string& note : verdict.notes) console.result(note);
  if (feed != nullptr) feed->tell(&RunListener::on_verdict, verdict);
  deliver_report(run, console);
  tell_history(run, console, true);
  if (console.lost_output()) console.problem("standard output did not take the result");
  if (run.first_problem().empty() && !console.lost_output()) return verdict.exit_code;
  if (!run.first_problem().empty()) console.problem(run.first_problem());
  return verdict.exit_code == 1 ? 1 : 3;
}

void deliver_report(const RunDir& run, Console& console) {
  try {
    if (const auto written = write_report(run.path()); !written)
      console.problem("no report.html: " + written.error().what);
  } catch (const std::exception& error) {
    console.problem(fmt::format("no report.html: {}", error.what()));
  }
}

}  // namespace stallproof
