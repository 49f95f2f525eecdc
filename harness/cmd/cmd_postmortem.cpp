// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/result_file.h"
#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/merge/coordination_read.h"
#include "harness/run/postmortem/left_on_target.h"
#include "harness/run/postmortem/postmortem.h"
#include "harness/run/undo_journal.h"
#include "harness/store/history_entry.h"
#include "harness/store/history_record.h"
#include "harness/store/run_dir.h"
#include "harness/store/run_read.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostOfEnvironment = 1U << 20U;

struct PostmortemWords {
  std::string run, root = "/", out;
  bool json = false;
};

// What became of one run: closed now, or why not.
struct RunFate {
  std::string directory, id;
  std::optional<ClosedRun> closed;
  std::string left_alone;  // why it was not closed
  int exit_code = 0;
};

std::string state_of(const PostmortemWords& words) {
  return words.root == "/" ? state_directory() : words.root + "/var/lib/stallproof";
}

Result<std::string> chosen_directory(const PostmortemWords& words) {
  if (words.root == "/") return find_run_directory(words.run, "postmortem");
  const std::string under = state_of(words) + "/runs/" + words.run;
  if (is_run_directory(words.run)) return words.run;
  if (is_run_directory(under)) return under;
  return fail(fmt::format("postmortem: {}: no such run in {}/runs", words.run, state_of(words)));
}

RunFate leave_alone(const UnfinishedRun& run, std::string why, int exit_code) {
  return {.directory = run.directory,
          .id = run.id,
          .closed = {},
          .left_alone = std::move(why),
          .exit_code = exit_code};
}

std::vector<std::string> remove_what_is_left(const UnfinishedRun& run) {
  const std::string name = run.directory + "/env.json";
  const auto text = read_file(name, kMostOfEnvironment);
  std::optional<SharedPlace> shared;
  if (text)
    if (const auto told = read_coordination(*text, name); told && *told && (*told)->rank >= 0)
      shared = {.job = (*told)->job, .rank = static_cast<unsigned>((*told)->rank)};
  return remove_left_on_target(run.directory, run.id, shared);
}

RunFate close_one(const std::string& directory, const MachineNow& machine,
                  const PostmortemWords& words) {
  const UnfinishedRun run = look_at_unfinished(directory, machine);
  // A run that goes on is none of our business, unless it was asked for.
  if (run.end == RunEnd::running)
    return leave_alone(run, "goes on: " + run.why, words.run.empty() ? 0 : 3);
  if (run.end == RunEnd::cannot_tell) return leave_alone(run, "not closed: " + run.why, 3);
  auto closed = close_run(run, words.root);
  if (!closed) return leave_alone(run, closed.error().what, 3);
  if (machine.here && run.end == RunEnd::node_died)
    for (std::string& line : remove_what_is_left(run))
      closed->remains.notes.push_back(std::move(line));
  if (machine.here) {
    const HistoryTold told = record_in_history(directory);
    for (const std::string& line : told.seen) closed->remains.notes.push_back(line);
    if (!told.problem.empty()) say_on_stderr("the run is not in the history yet: " + told.problem);
  }
  const int code = closed->verdict.exit_code;
  return {.directory = directory,
          .id = run.id,
          .closed = std::move(*closed),
          .left_alone = {},
          .exit_code = code};
}

std::string as_text(const std::vector<RunFate>& outcomes) {
  if (outcomes.empty()) return "every run has a verdict\n";
  std::string text;
  for (const RunFate& each : outcomes) {
    text += fmt::format("run {} in {}\n", each.id, each.directory);
    if (!each.closed) {
      text += "  " + each.left_alone + "\n";
      continue;
    }
    const Remains& remains = each.closed->remains;
    for (const std::string& reason : each.closed->verdict.reasons)
      text += fmt::format("  {}: {}\n", outcome_name(each.closed->verdict.outcome), reason);
    if (!remains.log_where.empty())
      text += fmt::format("  kernel log: {} (tied {}), kept as {}/postmortem/kernel-log.txt\n",
                          remains.log_where, tie_words(remains.log_by), each.directory);
    for (const std::string& note : remains.notes) text += "  " + note + "\n";
    if (const Explanation* told = best_explanation(remains)) text += "\n" + told->summary + "\n";
  }
  return text;
}

Json outcome_json(const RunFate& each) {
  Json json{{"run", each.id}, {"directory", each.directory}};
  if (!each.closed) {
    json["verdict"] = nullptr;
    json["left_alone"] = each.left_alone;
    return json;
  }
  const Remains& remains = each.closed->remains;
  const CrashSite& site = remains.crash.site;
  const Explanation* const told = best_explanation(remains);
  const auto or_null = [](const std::string& word) { return word.empty() ? Json() : Json(word); };
  json["ended"] = each.closed->run.end == RunEnd::node_died ? "node_died" : "controller_died";
  json["verdict"] = outcome_name(each.closed->verdict.outcome);
  json["reasons"] = each.closed->verdict.reasons;
  json["vmcore"] = or_null(site.dump);
  json["incomplete"] = or_null(site.incomplete);
  json["tied"] = tie_words(remains.crash.by);
  json["kernel_log"] = or_null(remains.log_where);
  json["class"] = told == nullptr ? Json() : Json(told->stall_class);
  json["signature"] = told == nullptr ? Json() : Json(told->signature);
  json["notes"] = remains.notes;
  return json;
}

std::string as_json(const std::vector<RunFate>& outcomes) {
  Json runs = Json::array();
  for (const RunFate& each : outcomes) runs.push_back(outcome_json(each));
  return Json{{"schema", 1}, {"runs", runs}}.dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

// A failing one wins over an unknown one.
int exit_code_of_all(const std::vector<RunFate>& outcomes) {
  int code = 0;
  for (const RunFate& each : outcomes) {
    if (each.exit_code == 1) return 1;
    code = std::max(code, each.exit_code);
  }
  return code;
}

Result<int> run(PostmortemWords words) {
  if (words.root.size() > 1 && words.root.ends_with('/')) words.root.pop_back();
  if (!words.out.empty())
    if (auto good = check_result_file(words.out); !good)
      return fail("postmortem: --out: " + good.error().what);
  const MachineNow machine = look_at_machine(words.root);
  std::vector<std::string> directories;
  if (words.run.empty()) {
    directories = unfinished_directories(state_of(words) + "/runs");
  } else {
    const auto directory = chosen_directory(words);
    if (!directory) return Failure(directory.error());
    if (!is_run_directory(*directory))
      return fail(
          fmt::format("postmortem: {}: not a run directory: it has neither verdict.json nor "
                      "events.jsonl (without --run it looks at all that are unfinished)",
                      *directory));
    directories.push_back(real_path(*directory));
  }
  if (machine.here)
    for (const std::string& line : undo_leftovers(runtime_directory())) say_on_stderr(line);
  std::vector<RunFate> outcomes;
  for (const std::string& directory : directories) {
    if (verdict_stamp_ns(directory) == 0) {
      outcomes.push_back(close_one(directory, machine, words));
      continue;
    }
    const auto verdict = read_verdict(directory + "/verdict.json");
    if (!verdict) return Failure(verdict.error());
    outcomes.push_back({.directory = directory,
                        .id = verdict->run,
                        .closed = {},
                        .left_alone = "has its verdict: " + outcome_name(verdict->outcome),
                        .exit_code = verdict->exit_code});
  }
  const auto told = write_result(words.json ? as_json(outcomes) : as_text(outcomes), words.out);
  if (!told) return Failure(told.error());
  return exit_code_of_all(outcomes);
}

}  // namespace

RunCommand add_postmortem(CLI::App& app) {
  const auto words = std::make_shared<PostmortemWords>();
  app.add_option("--run", words->run,
                 "Only this run: its directory or name (default: all that have no verdict)");
  app.add_option("--root", words->root,
                 "Look for run directories, dumps and logs below this directory: the copied or "
                 "mounted disk of a node that is no more")
      ->capture_default_str();
  app.add_option("-o,--out", words->out, kPrintedInto);
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return run(*words); };
}

}  // namespace stallproof
