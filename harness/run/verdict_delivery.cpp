// SPDX-License-Identifier: Apache-2.0
#include "harness/run/verdict_delivery.h"

#include <fmt/format.h>

namespace stallproof {

int deliver_verdict(RunDir& run, Console& console, const Verdict& verdict,
                    const std::vector<std::string>& notes) {
  const std::string json = verdict_json(verdict);
  run.save("verdict.json", json);
  console.document(json);
  for (const std::string& reason : verdict.reasons)
    console.result(fmt::format("{}: {}", outcome_name(verdict.outcome), reason));
  for (const std::string& note : notes) console.result(note);
  if (console.lost_output()) console.problem("standard output did not take the result");
  if (run.first_problem().empty() && !console.lost_output()) return verdict.exit_code;
  if (!run.first_problem().empty()) console.problem(run.first_problem());
  return verdict.exit_code == 1 ? 1 : 3;
}

}  // namespace stallproof
