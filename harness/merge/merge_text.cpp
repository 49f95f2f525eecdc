// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/markup.h"
#include "harness/gate/gate_words.h"
#include "harness/merge/evidence.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merge_words.h"
#include "harness/sink/report/time_axis.h"

namespace stallproof {
namespace {

constexpr std::size_t kStallsTold = 10;

std::string findings_text(const std::string& heading, const std::vector<MergeFinding>& findings) {
  if (findings.empty()) return {};
  std::string text = heading + "\n";
  for (const MergeFinding& finding : findings) text += "  " + finding_words(finding) + "\n";
  return text;
}

// What a postmortem found lies beside the incidents, where show does not look.
std::string look_words(const MergedNode& node, const StallEntry& entry) {
  if (entry.id == "vmcore") return one_line(evidence_folder(node, entry)) + "/explanation.txt";
  return fmt::format("stallproof show {} --at {}", shell_word(one_line(node.result.directory)),
                     shell_word(one_line(entry.id)));
}

std::string stalls_text(const Merged& merged) {
  if (merged.failing_stalls == 0) return {};
  std::string text = "failing stalls:\n";
  std::size_t told = 0;
  for (const StallBegin& stall : merged.stalls) {
    const StallEntry& entry = merged.entry_of(stall);
    if (!entry.failing || told == kStallsTold) break;
    text += fmt::format("  {}\n    signature {}\n    {}\n", stall_words(merged, stall),
                        one_line(entry.signature), look_words(merged.nodes[stall.node], entry));
    ++told;
  }
  if (merged.failing_stalls > told)
    text += fmt::format("  and {} more\n", merged.failing_stalls - told);
  return text;
}

std::string together_text(const Merged& merged) {
  if (merged.together.empty()) return {};
  std::string text = "began together:\n";
  for (std::size_t i = 0; i < std::min(merged.together.size(), kStallsTold); ++i) {
    const auto& group = merged.together[i];
    text += fmt::format("  at {}: {} ({})\n", run_time(onset_ms_of(merged, group.front()) / 1e3),
                        together_words(merged, group), names_words(node_names(merged, group)));
  }
  if (merged.together.size() > kStallsTold)
    text += fmt::format("  and {} more times\n", merged.together.size() - kStallsTold);
  return text;
}

std::string clocks_text(const Merged& merged) {
  std::string text;
  if (merged.start_skew_ms)
    text += fmt::format("the loads of the nodes began within {}\n",
                        span_words(*merged.start_skew_ms / 1e3));
  if (merged.clocks_apart_ms)
    text += fmt::format("their clocks were at most {} from that of rank 0\n",
                        span_words(*merged.clocks_apart_ms / 1e3));
  return text;
}

}  // namespace

std::string merge_text(const Merged& merged, const std::string& directory) {
  std::string text = merge_sentence(merged) + "\n";
  text += together_text(merged) + stalls_text(merged);
  text += findings_text("failed:", merged.failures);
  text += findings_text("not known:", merged.doubts);
  if (merged.resolved_stalls > 0)
    text += fmt::format("{} resolved in time and did not fail\n",
                        counted(merged.resolved_stalls, "more stall"));
  text += clocks_text(merged) + findings_text("notes:", merged.notes);
  return text + directory + "/report.html\n";
}

}  // namespace stallproof
