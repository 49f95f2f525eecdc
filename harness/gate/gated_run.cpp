// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gated_run.h"

#include <unistd.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/gate/load_plan_words.h"
#include "harness/gate/median_rates.h"

namespace stallproof {

namespace {

// The run's name where it leads there, else what the user has given.
std::string word_for_show(const GatedRun& run, const std::string& given) {
  const auto named = find_run_directory(run.name(), "");
  std::error_code unlike;
  const bool leads = named && std::filesystem::equivalent(*named, run.stored.directory, unlike);
  return leads ? run.name() : given;
}

}  // namespace

Result<GatedRun> gather_run(const std::string& word) {
  const auto directory = find_run_directory(word, "gate");
  if (!directory) return Failure(directory.error());
  GatedRun run;
  auto stored = read_run(*directory);
  if (stored) {
    run.stored = std::move(*stored);
    run.shown_by = word_for_show(run, word);
    return run;
  }
  if (stored.error().origin != Origin::infra) return fail("gate: " + stored.error().what);
  run.stored.directory = *directory;
  run.damage = stored.error().what;
  return run;
}

void gather_rates(GatedRun& run) {
  if (!run.stored.verdict) return;
  for (const char* name : {"/series/loads.csv", "/series/seconds.csv"}) {
    const std::string path = run.stored.directory + name;
    if (::access(path.c_str(), F_OK) != 0) continue;
    const auto text = read_file(path);
    auto rates = text ? median_rates(*text, warmup_ms_of(run.stored.plan), path)
                      : Result<std::map<std::string, double>>(Failure(text.error()));
    if (!rates)
      run.rates_problem = rates.error().what;
    else
      run.rates = std::move(*rates);
    return;
  }
  run.rates_problem = run.stored.directory + "/series: neither loads.csv nor seconds.csv";
}

}  // namespace stallproof
