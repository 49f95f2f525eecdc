// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/cmd/exit_codes.h"
#include "harness/cmd/stdout_text.h"
#include "harness/run/judge/judge_show.h"

namespace stallproof {
namespace {

struct RejudgeWords {
  std::vector<std::string> runs;
  std::string stall_after, fail_after, dropout_below, out;
  bool json = false;
};

Result<std::optional<Nanos>> duration_of(const char* option, const std::string& word) {
  if (word.empty()) return std::optional<Nanos>();
  const auto read = parse_duration(word);
  if (!read) return fail(fmt::format("{}: {}", option, read.error().what));
  // Under this even looks of 100 ms tell nothing.
  if (*read < 100 * kMillisecond)
    return fail(
        fmt::format("{}: {} is shorter than the looks that were stored (100ms)", option, word));
  return std::optional<Nanos>(*read);
}

Result<JudgeWords> thresholds_of(const RejudgeWords& words) {
  JudgeWords judge;
  const auto stall_after = duration_of("--stall-after", words.stall_after);
  if (!stall_after) return Failure(stall_after.error());
  const auto fail_after = duration_of("--fail-after", words.fail_after);
  if (!fail_after) return Failure(fail_after.error());
  judge.stall_after = *stall_after;
  judge.fail_after = *fail_after;
  if (judge.stall_after && judge.fail_after && *judge.fail_after < *judge.stall_after)
    return fail(fmt::format("--fail-after: {} is shorter than --stall-after {}", words.fail_after,
                            words.stall_after));
  if (words.dropout_below.empty()) return judge;
  char* end = nullptr;
  const double below = std::strtod(words.dropout_below.c_str(), &end);
  if (*end != '\0' || !(below >= 0 && below <= 1))
    return fail(
        fmt::format("--dropout-below: '{}' is not a ratio between 0 and 1", words.dropout_below));
  judge.dropout_below = below;
  return judge;
}

// When several apply: 2, then 1, then 3.
int graver(int a, int b) {
  constexpr std::array kOrder{2, 1, 3};
  for (const int code : kOrder)
    if (a == code || b == code) return code;
  return 0;
}

Result<JudgedRun> judge_one(const std::string& word, const JudgeWords& thresholds) {
  const auto directory = find_run_directory(word, "judge");
  if (!directory) return Failure(directory.error());
  auto run = read_run(*directory);
  if (!run) return fail("judge: " + run.error().what, run.error().origin);
  // A fail-after that is shorter than the stall-after of the run asks for nothing that makes sense.
  if (run->verdict && thresholds.fail_after && !thresholds.stall_after &&
      static_cast<double>(*thresholds.fail_after) / 1e6 < run->verdict->stall_after_ms)
    return fail(fmt::format(
        "judge: {}: --fail-after {} is shorter than its --stall-after {:g} s "
        "(give that one too)",
        *directory, format_duration(*thresholds.fail_after), run->verdict->stall_after_ms / 1e3));
  auto judged = judge_again(std::move(*run), thresholds);
  if (!judged) return fail("judge: " + judged.error().what, judged.error().origin);
  return judged;
}

Result<int> run(const RejudgeWords& words) {
  const auto thresholds = thresholds_of(words);
  if (!thresholds) return Failure(thresholds.error());
  int code = 0;
  std::string text;
  auto document = nlohmann::ordered_json{{"schema", 1}, {"runs", nlohmann::ordered_json::array()}};
  for (const std::string& word : words.runs) {
    const auto judged = judge_one(word, *thresholds);
    if (!judged) {
      // The other runs are worth their verdicts all the same.
      if (words.runs.size() == 1) return Failure(judged.error());
      say_on_stderr(judged.error().what);
      code = graver(code, exit_code_of(judged.error(), "judge"));
      continue;
    }
    code = graver(code, judged->outcome.exit_code);
    text += (text.empty() ? "" : "\n") + judged_text(*judged);
    document["runs"].push_back(judged_json(*judged));
  }
  document["exit_code"] = code;
  const auto told = write_result(
      words.json
          ? document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"
          : text,
      words.out);
  if (!told) return Failure(told.error());
  return code;
}

}  // namespace

RunCommand add_judge(CLI::App& app) {
  const auto words = std::make_shared<RejudgeWords>();
  app.add_option("RUN", words->runs, "Run directories, names of runs, or latest")->required();
  app.add_option("--stall-after", words->stall_after,
                 "No completion for this long is a stall (default: as the run had it)");
  app.add_option("--fail-after", words->fail_after,
                 "A stall this long is a failing one (default: as the run had it)");
  app.add_option("--dropout-below", words->dropout_below,
                 "Throughput under this part of its median is a dropout (default: as the run had "
                 "it)");
  app.add_option("-o,--out", words->out, kPrintedInto);
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return run(*words); };
}

}  // namespace stallproof
