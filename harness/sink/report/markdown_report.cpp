// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "harness/base/markup.h"
#include "harness/explain/render.h"
#include "harness/explain/wait_picture.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/run_facts.h"
#include "harness/sink/report/stored_picture.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamedOfARole = 16;

std::string table_text(const ReportTable& table) {
  if (table.rows.empty()) return {};
  std::string out = escaped_markdown(table.caption) + ":\n\n|", rule = "|";
  for (std::size_t i = 0; i < table.headings.size(); ++i) {
    out += " " + escaped_markdown(table.headings[i]) + " |";
    rule += i < table.numbers.size() && table.numbers[i] ? "--:|" : "---|";
  }
  out += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const std::string& cell : row) out += " " + escaped_markdown(cell) + " |";
    out += "\n";
  }
  return out + "\n";
}

std::string facts_text(const std::vector<Fact>& facts) {
  std::string out;
  for (const Fact& fact : facts)
    if (!fact.value.empty())
      out += fmt::format("- {}: {}\n", fact.name, escaped_markdown(fact.value));
  return out + "\n";
}

std::string list_text(const std::string& heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string out = heading + "\n\n";
  for (const std::string& line : lines) out += "- " + escaped_markdown(line) + "\n";
  return out + "\n";
}

std::string chain_of(const Explanation& explanation) {
  const WaitPicture picture = arrange_picture(explanation);
  std::string out;
  std::size_t number = 0;
  for (const PictureStep& step : picture.steps) {
    out += fmt::format("{}. **{}**", ++number, escaped_markdown(step.node->label));
    if (step.next != nullptr)
      out += fmt::format(" {}: {}", escaped_markdown(edge_words(*step.next)),
                         escaped_markdown(step.next->evidence));
    out += "\n";
  }
  if (picture.closed)
    out += fmt::format("{}. … {} again: the circle is closed\n", number + 1,
                       escaped_markdown(picture.steps.front().node->label));
  return out + "\n";
}

// Who takes which part, those of the circle and those beside it.
std::string roles_of(const Explanation& explanation) {
  struct Part {
    Role role;
    const char* name;
  };
  constexpr std::array kParts{
      Part{Role::holder, "holder"},
      Part{Role::queued_writer, "queued writer"},
      Part{Role::queued_reader, "queued reader"},
      Part{Role::service, "service"},
      Part{Role::idle_service, "idle service"},
      Part{Role::bystander, "bystander"},
  };
  std::string out;
  for (const Part& part : kParts) {
    std::string names;
    std::size_t count = 0;
    for (const ExplainedNode& node : explanation.nodes)
      if (node.role == part.role && ++count <= kNamedOfARole)
        names += (names.empty() ? "" : ", ") + escaped_markdown(node.label);
    if (count > kNamedOfARole) names += fmt::format(" and {} more", count - kNamedOfARole);
    if (count > 0) out += fmt::format("- {}: {}\n", part.name, names);
  }
  return out.empty() ? out : out + "\n";
}

std::string explanation_text(const StoredExplanation& stored) {
  const Explanation explanation = explanation_of(stored);
  std::string out = escaped_markdown(explanation.summary) + "\n\n" + chain_of(explanation) +
                    roles_of(explanation);
  if (!explanation.advice.empty())
    out += "**While it stands:** " + escaped_markdown(explanation.advice) + "\n\n";
  if (!explanation.blind_spots.empty())
    out += "Not seen: " + escaped_markdown(joined_words(explanation.blind_spots, ", ")) + "\n\n";
  if (const std::string stacks = stacks_text(explanation); !stacks.empty())
    out += "Stacks, innermost first:\n\n" + markdown_block(stacks) + "\n";
  return out;
}

std::string evidence_text(const ReportIncident& incident) {
  std::string out;
  for (const EvidenceFile& file : incident.files)
    out += fmt::format("- {} {}\n", markdown_code(evidence_path(incident, file)),
                       bytes_words(file.bytes));
  return out.empty() ? out : "Evidence:\n\n" + out + "\n";
}

std::string support_text(const StoredIncident& stored) {
  const std::string seen = seen_by_words(stored);
  if (seen.empty()) return {};
  std::vector<std::string> lines;
  for (const StoredSupport& each : stored.support)
    lines.push_back(each.detector + ": " + each.what);
  return lines.empty() ? escaped_markdown(seen) + "\n\n" : list_text(escaped_markdown(seen), lines);
}

std::string incident_text(const ReportIncident& incident, const RunContents& contents) {
  const StoredIncident& stored = incident.stored;
  std::string out =
      fmt::format("### Incident {}: {}\n\n{}\n\n{}\n\n", escaped_markdown(stored.id),
                  escaped_markdown(stored.stall_class), markdown_code(stored.signature),
                  escaped_markdown(incident_times(incident, axis_of(contents))));
  out += stored.explanation ? explanation_text(*stored.explanation)
                            : "It was not explained, or the explanation is missing.\n\n";
  out += evidence_text(incident) + support_text(stored);
  return out + "Make it again, and read it as text:\n\n" +
         markdown_block(joined_words(incident_commands(incident, contents), "\n")) + "\n";
}

std::string incidents_text(const RunContents& contents) {
  if (contents.incidents.empty()) return {};
  std::string out = "## Incidents\n\n";
  if (contents.incidents.size() > 1) out += table_text(incident_table(contents));
  for (std::size_t i = 0; i < contents.incidents.size() && i < kToldInFull; ++i)
    out += incident_text(contents.incidents[i], contents);
  if (contents.incidents.size() > kToldInFull)
    out += fmt::format("The first {} are told in full; stallproof show tells the others.\n\n",
                       kToldInFull);
  return out;
}

std::string judged_text(const RunContents& contents) {
  const Verdict& verdict = *contents.run.verdict;
  std::string out = list_text("**Left behind on the node:**", verdict.left_behind);
  out += (verdict.dropouts.empty() ? "No dropout" : dropout_words(verdict)) + ".\n\n";
  out += table_text(dropout_table(contents)) + table_text(suspected_table(contents));
  out += "Thresholds: " + escaped_markdown(thresholds_words(verdict)) + ".\n\n";
  return out + list_text("Of single loads:", own_thresholds(verdict));
}

std::string head_text(const RunContents& contents) {
  std::string out =
      fmt::format("# {}: {}\n\n", verdict_word(contents), escaped_markdown(contents.run.id));
  out += list_text("This run directory is not complete:", contents.problems);
  if (contents.run.verdict) {
    for (const std::string& reason : contents.run.verdict->reasons)
      out += "- " + escaped_markdown(reason) + "\n";
    out += facts_text(head_facts(*contents.run.verdict));
  }
  const ZeroMeaning meaning = zero_meaning(contents);
  return out + fmt::format("**{}** {}\n\n", escaped_markdown(meaning.headline),
                           escaped_markdown(meaning.detail));
}

std::string machine_text(const RunContents& contents) {
  std::string out = "## Environment\n\n" + facts_text(machine_facts(contents));
  if (contents.run.verdict) out += table_text(settings_table(*contents.run.verdict));
  if (!contents.run.plan.empty())
    out += "plan.toml:\n\n" + markdown_block(shown_plan(contents)) + "\n";
  return out;
}

std::string loads_text(const Verdict& verdict) {
  std::string out;
  if (!verdict.workloads.empty()) out += "## Loads\n\n" + table_text(load_table(verdict));
  if (verdict.command_exit)
    out += fmt::format("The command ended with {}.\n\n", *verdict.command_exit);
  return out;
}

}  // namespace

std::string markdown_report(const RunContents& contents) {
  const auto& verdict = contents.run.verdict;
  std::string out = head_text(contents);
  if (verdict) out += judged_text(contents);
  if (const std::string again = rerun_command(contents); !again.empty())
    out += "Run it again:\n\n" + markdown_block(again) + "\n";
  if (!contents.windows.empty()) out += "## Marked times\n\n" + table_text(window_table(contents));
  out += incidents_text(contents);
  if (verdict) out += loads_text(*verdict);
  out += machine_text(contents);
  if (verdict) out += "## How well it was watched\n\n" + facts_text(observer_facts(*verdict));
  return out;
}

}  // namespace stallproof
