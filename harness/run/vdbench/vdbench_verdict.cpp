// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_verdict.h"

#include <fmt/format.h>

#include "harness/run/canary_rounds.h"
#include "harness/run/load_report.h"
#include "harness/run/verdict_delivery.h"

namespace stallproof {
namespace {

constexpr int kVdbenchFailed = 157;

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

Verdict describe(const VdbenchSession& session, const VdbenchOptions& options,
                 const std::string& run_id) {
  const VdbenchState& state = session.state();
  const Evidence& evidence = session.lab().watchdog().evidence();
  Verdict verdict;
  describe_run(verdict, state.clock, options.thresholds);
  verdict.run = run_id;
  verdict.settings["vdbench"] = fmt::format("{}", fmt::join(options.files, " "));
  verdict.settings["parameters"] = state.parameters;
  // What decides whether the reported stall can happen at all.
  const bool uring = options.engine == IoEngine::uring;
  verdict.settings["engine"] = uring ? "io_uring" : "psync";
  verdict.settings["buffers"] = uring ? "registered" : "heap";
  verdict.settings["jvm"] = options.jvm ? "jvm-steady" : "none";
  verdict.labels = options.labels;
  verdict.target_path = state.target.path;
  verdict.target_fstype = state.target.fstype;
  verdict.target_source = state.target.source;
  note_target_facts(state.target.facts, verdict);
  verdict.left_behind = state.left_behind;
  verdict.captures = session.captures();
  verdict.marks = session.marks();
  verdict.observer = observer_entry(evidence, state.figures, session.book().incidents());
  verdict.dropouts = dropout_entries(session.book().dropouts(), session.lab().load_names(),
                                     state.clock, monotonic_now());
  for (const LoadEntry& load : session.lab().board().loads())
    verdict.workloads[load.name] = load_totals(session.lab().board(), load);
  for (const IncidentRecord& incident : session.book().incidents())
    verdict.stalls.push_back(stall_entry(incident, state.clock, options.thresholds.fail_after));
  return verdict;
}

VdbenchFacts facts_of(const VdbenchSession& session, const Verdict& verdict,
                      const std::string& unsaved) {
  const VdbenchState& state = session.state();
  VdbenchFacts facts{.interrupted = state.interrupted,
                     .lost = state.lost,
                     .impaired = impairments(session.lab().watchdog().evidence(), state.figures),
                     .failures = state.failures,
                     .never_ended = state.never_ended,
                     .unsaved = unsaved,
                     .stalls = verdict.stalls.size()};
  for (const StallEntry& stall : verdict.stalls)
    if (stall.failing)
      facts.failing.push_back(fmt::format("{} (incident {})", stall.stall_class, stall.id));
  for (const auto& [name, load] : verdict.workloads) facts.worked = facts.worked || load.ops > 0;
  if (const auto& canary = verdict.observer.canary) {
    facts.blind = why_unproven(*canary);
    facts.proven = canary->passed;
  }
  return facts;
}

// As vdbench: a validation that compared nothing is no success.
void tell_validation(VdbenchSession& session, VdbenchOutput& output) {
  auto& maps = session.lab().key_maps();
  if (!maps) return;
  std::uint64_t validated = 0, bad = 0;
  for (std::size_t i = 0; i < maps->size(); ++i) {
    KeyMap map = maps->map(i);
    if (map.blocks() == 0) continue;
    map.settle_abandoned();
    validated += map.validated();
    bad += map.bad();
  }
  output.say(
      fmt::format("Total amount of key blocks read and validated: {}; key blocks marked in "
                  "error: {}",
                  validated, bad));
  if (validated == 0)
    session.state().failures.emplace_back(
        "data validation compared no block: nothing was written and read again");
}

}  // namespace

VdbenchVerdict judge_vdbench(const VdbenchFacts& facts) {
  VdbenchVerdict verdict;
  const bool ended_well = !facts.interrupted && facts.lost.empty() && facts.failures.empty() &&
                          facts.never_ended.empty() && facts.worked;
  verdict.vdbench_code = ended_well ? 0 : kVdbenchFailed;
  for (const std::string& stall : facts.failing) verdict.reasons.push_back("stalled: " + stall);
  append(verdict.reasons, facts.never_ended);
  append(verdict.reasons, facts.failures);
  if (!verdict.reasons.empty()) {
    verdict.outcome = Outcome::fail;
    verdict.exit_code = 1;
    if (!facts.unsaved.empty()) verdict.reasons.push_back(facts.unsaved);
    return verdict;
  }
  append(verdict.reasons, facts.lost);
  if (facts.interrupted) verdict.reasons.emplace_back("interrupted");
  append(verdict.reasons, facts.impaired);
  append(verdict.reasons, facts.blind);
  if (!facts.unsaved.empty()) verdict.reasons.push_back(facts.unsaved);
  if (!facts.worked) verdict.reasons.emplace_back("no I/O completed: this proves nothing");
  if (!verdict.reasons.empty()) return verdict;
  verdict.outcome = Outcome::pass;
  verdict.exit_code = 0;
  verdict.reasons.push_back(facts.stalls == 0
                                ? "no stall"
                                : fmt::format("no failing stall ({} that resolved)", facts.stalls));
  if (facts.proven) verdict.reasons.back() += "; a stall made on purpose was seen and explained";
  return verdict;
}

int conclude_vdbench(VdbenchSession& session, VdbenchOutput& output, const VdbenchOptions& options,
                     const std::optional<CanaryEntry>& canary) {
  VdbenchState& state = session.state();
  if (output.faults() > 0) {
    state.failures.push_back(fmt::format("{} I/Os failed (see errorlog.html)", output.faults()));
    output.say(fmt::format("Total Data Validation or I/O error count: {}", output.faults()));
  }
  tell_validation(session, output);
  RunDir& run = session.run_dir();
  const std::string unsaved = run.first_problem().empty() ? output.problem() : run.first_problem();
  const std::string id = run.id();
  Verdict verdict = describe(session, options, id);
  verdict.observer.canary = canary;
  const VdbenchVerdict judged = judge_vdbench(facts_of(session, verdict, unsaved));
  verdict.outcome = judged.outcome;
  verdict.reasons = judged.reasons;
  note_unlisted(verdict, session.book().unlisted());
  verdict.exit_code = options.vdbench_codes ? judged.vdbench_code : judged.exit_code;
  output.end(judged.vdbench_code == 0, run.path());
  if (!options.vdbench_codes)
    return deliver_verdict(run, session.console(), verdict, {}, options.feed);
  // stdout is vdbench's: what is ours goes to stderr, and only when there is something to say.
  run.save("verdict.json", verdict_json(verdict));
  take_notes(verdict, options.feed);
  if (!verdict.notes.empty()) run.save("verdict.json", verdict_json(verdict));
  save_junit(run);
  if (options.feed != nullptr) options.feed->tell(&RunListener::on_verdict, verdict);
  deliver_report(run, session.console());
  if (judged.outcome != Outcome::pass)
    for (const std::string& reason : judged.reasons)
      session.console().problem(fmt::format("{}: {}", outcome_name(judged.outcome), reason));
  tell_history(run, session.console(), false);
  for (const std::string& note : verdict.notes) session.console().problem(note);
  session.console().document(verdict_json(verdict));
  const bool lost = session.console().has_document() && session.console().lost_output();
  if (lost) session.console().problem("standard output did not take the result");
  return run.first_problem().empty() && !lost ? judged.vdbench_code : kVdbenchFailed;
}

}  // namespace stallproof
