// SPDX-License-Identifier: Apache-2.0
// libFuzzer: whatever stands in a kernel log, it is read, neither crashes nor takes for ever, and
// every report names a line of the log and has a title. Built by the preset `fuzz`.
#include <algorithm>
#include <cstdint>
#include <string>

#include "harness/explain/log/plain_log.h"
#include "harness/explain/log_explanation.h"
#include "harness/explain/render.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stallproof;
  static const FsKnowledge knowledge = [] {
    auto shipped = FsKnowledge::shipped();
    return shipped ? *shipped : FsKnowledge{};
  }();
  const std::string text =
      plain_log(as_utf8(std::string(reinterpret_cast<const char*>(data), size)));
  const ExplainedLog log = explain_kernel_log(text, knowledge);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const LogReport& report : *log.explanation.reports)
    if (report.line == 0 || report.line > lines || report.title.empty()) __builtin_trap();
  for (const TextProblem& problem : log.problems)
    if (problem.line == 0 || problem.line > lines || problem.what.empty()) __builtin_trap();
  if (render_text(log.explanation).empty() || render_json(log.explanation).empty())
    __builtin_trap();
  return 0;
}
