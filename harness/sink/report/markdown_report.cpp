// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/explain/wait_picture.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/stored_picture.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kToldInFull = 10;

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
  return out;
}

std::string incident_text(const ReportIncident& incident, const RunContents& contents) {
  const StoredIncident& stored = incident.stored;
  std::string out =
      fmt::format("### Incident {}: {}\n\n{}\n\n{}\n\n", escaped_markdown(stored.id),
                  escaped_markdown(stored.stall_class), markdown_code(stored.signature),
                  escaped_markdown(incident_times(incident, axis_of(contents))));
  if (!stored.explanation) return out + "It has no explanation.\n\n";
  out += escaped_markdown(stored.explanation->summary) + "\n\n";
  out += chain_of(explanation_of(*stored.explanation)) + "\n";
  if (!stored.explanation->advice.empty())
    out += "**While it stands:** " + escaped_markdown(stored.explanation->advice) + "\n\n";
  return out;
}

std::string load_table(const Verdict& verdict) {
  if (verdict.workloads.empty()) return {};
  std::string out =
      "## Loads\n\n| load | operations | bytes | errors | median | 99 % | largest |\n"
      "|---|--:|--:|--:|--:|--:|--:|\n";
  const auto word = [](const std::optional<double>& micros) {
    return micros ? micros_words(*micros) : std::string("–");
  };
  for (const auto& [name, load] : verdict.workloads)
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", escaped_markdown(name), load.ops,
                       bytes_words(load.bytes), load.errors, word(load.p50_us), word(load.p99_us),
                       word(load.max_us));
  return out + "\n";
}

std::string run_facts(const Verdict& verdict) {
  std::string out;
  const auto line = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out += fmt::format("- {}: {}\n", name, escaped_markdown(value));
  };
  line("target", verdict.target_path + " " + verdict.target_fstype);
  line("scenario", verdict.scenario);
  line("node", verdict.node);
  line("kernel", verdict.kernel);
  line("started", verdict.started);
  line("lasted", span_words(verdict.duration_s));
  line("stallproof", verdict.tool_version);
  for (const auto& [key, value] : verdict.labels) line("label", key + "=" + value);
  return out + "\n";
}

std::string dropout_line(const Verdict& verdict) {
  double all_ms = 0;
  for (const DropoutEntry& dropout : verdict.dropouts) all_ms += dropout.duration_ms;
  return verdict.dropouts.empty()
             ? "No dropout.\n\n"
             : fmt::format("{} dropout{}, {} together.\n\n", verdict.dropouts.size(),
                           verdict.dropouts.size() == 1 ? "" : "s", span_words(all_ms / 1e3));
}

}  // namespace

std::string markdown_report(const RunContents& contents) {
  std::string out =
      fmt::format("# {}: {}\n\n", verdict_word(contents), escaped_markdown(contents.run.id));
  if (!contents.problems.empty()) {
    out += "This run directory is not complete:\n\n";
    for (const std::string& problem : contents.problems)
      out += "- " + escaped_markdown(problem) + "\n";
    out += "\n";
  }
  if (contents.run.verdict) {
    for (const std::string& reason : contents.run.verdict->reasons)
      out += "- " + escaped_markdown(reason) + "\n";
    out += run_facts(*contents.run.verdict);
  }
  const ZeroMeaning meaning = zero_meaning(contents);
  out += fmt::format("**{}** {}\n\n", escaped_markdown(meaning.headline),
                     escaped_markdown(meaning.detail));
  if (contents.run.verdict) out += dropout_line(*contents.run.verdict);
  if (!contents.incidents.empty()) out += "## Incidents\n\n";
  for (std::size_t i = 0; i < contents.incidents.size() && i < kToldInFull; ++i)
    out += incident_text(contents.incidents[i], contents);
  if (contents.incidents.size() > kToldInFull)
    out += fmt::format("… and {} more.\n\n", contents.incidents.size() - kToldInFull);
  if (const std::string again = rerun_command(contents); !again.empty())
    out += "Run it again: " + markdown_code(again) + "\n\n";
  if (contents.run.verdict) out += load_table(*contents.run.verdict);
  return out;
}

}  // namespace stallproof
