// SPDX-License-Identifier: Apache-2.0
// What a report tells beside the graph and the charts, the same in every form that people read.
// Pure. Nothing is escaped yet.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/explain/explanation.h"
#include "harness/sink/report/run_contents.h"

namespace stallproof {

// Incidents that are told in full; of further ones the table has a row.
inline constexpr std::size_t kToldInFull = 20;
inline constexpr std::size_t kFramesShown = 40;  // of a stack

struct Fact {
  std::string name, value;  // no value: there is nothing to tell
};

struct ReportTable {
  std::string caption;
  std::vector<std::string> headings;
  std::vector<bool> numbers;  // columns that stand right
  std::vector<std::vector<std::string>> rows;
};

std::vector<Fact> head_facts(const Verdict& verdict);
std::vector<Fact> machine_facts(const RunContents& contents);     // environment and target
std::vector<Fact> observer_facts(const Verdict& verdict);         // how well the watchdog saw
std::string thresholds_words(const Verdict& verdict);             // of the run
std::vector<std::string> own_thresholds(const Verdict& verdict);  // of loads that have their own
std::string dropout_words(const Verdict& verdict);                // "2 dropouts, 5.0 s together"

ReportTable dropout_table(const RunContents& contents);
ReportTable suspected_table(const RunContents& contents);
ReportTable window_table(const RunContents& contents);
ReportTable incident_table(const RunContents& contents);
ReportTable load_table(const Verdict& verdict);
ReportTable settings_table(const Verdict& verdict);

std::string shown_plan(const RunContents& contents);  // plan.toml, of a very long one the beginning

// Tasks with the same stack are told together; empty without any stack.
std::string stacks_text(const Explanation& explanation);
std::string seen_by_words(const StoredIncident& stored);  // by which detectors; loads that stood
std::string evidence_path(const ReportIncident& incident, const EvidenceFile& file);
// What makes the incident again, where that is known, and what explains it as text.
std::vector<std::string> incident_commands(const ReportIncident& incident,
                                           const RunContents& contents);
std::string joined_words(const std::vector<std::string>& words, const char* between);

}  // namespace stallproof
