// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>

#include "harness/base/file.h"
#include "harness/cmd/command.h"
#include "harness/cmd/incident_choice.h"
#include "harness/cmd/saved_explanation.h"
#include "harness/cmd/show_timeline.h"
#include "harness/cmd/stdout_text.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

struct ShowWords {
  std::string run = "latest", at, out;
  bool json = false;
};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string content_of(const std::string& path) {
  auto text = read_file(path);
  return text ? std::move(*text) : std::string();
}

SavedRun read_saved_run(const std::string& directory) {
  SavedRun run;
  const std::string id = content_of(directory + "/run.id");
  run.id = id.substr(0, id.find('\n'));
  if (exists(directory + "/verdict.json")) {
    auto verdict = nlohmann::json::parse(content_of(directory + "/verdict.json"), nullptr, false);
    if (verdict.is_object())
      run.verdict = std::move(verdict);
    else
      run.problems.emplace_back("verdict.json: cut or no JSON");
  } else {
    run.problems.emplace_back("unfinished run: there is no verdict");
  }
  run.events = parse_events(content_of(directory + "/events.jsonl"), run.problems);
  run.seconds_csv = content_of(directory + "/series/seconds.csv");
  run.vdbench_csv = content_of(directory + "/series/vdbench.csv");
  return run;
}

std::string word_of(const nlohmann::json& verdict, const char* key) {
  const auto found = verdict.find(key);
  return found != verdict.end() && found->is_string() ? found->get<std::string>() : "?";
}

std::string heading(const SavedRun& run, const std::string& directory) {
  std::string text = fmt::format("run {} in {}\n", run.id, directory);
  const auto clock = clock_of(run);
  if (clock)
    text += fmt::format("started {} {} {}\n", clock->date(), clock->at(0),
                        clock->zone.empty() ? "(local time, by its name)" : clock->zone);
  if (!run.verdict) return text;
  const auto& verdict = *run.verdict;
  text += fmt::format("node {}, kernel {}, stallproof {}\nverdict: {}\n", word_of(verdict, "node"),
                      word_of(verdict, "kernel"), word_of(verdict, "tool_version"),
                      word_of(verdict, "verdict"));
  if (const auto reasons = verdict.find("reasons"); reasons != verdict.end())
    for (const auto& reason : *reasons)
      if (reason.is_string()) text += "  " + reason.get<std::string>() + "\n";
  return text;
}

std::vector<std::string> incidents_of(const SavedRun& run, const std::string& directory) {
  std::vector<std::string> ids;
  if (run.verdict && run.verdict->contains("stalls"))
    for (const auto& stall : (*run.verdict)["stalls"]) ids.push_back(word_of(stall, "id"));
  // Of an unfinished run only the folders tell.
  for (int number = 1; ids.empty() && number < 1000; ++number) {
    const std::string id = fmt::format("{:03}", number);
    if (!is_directory(directory + "/incidents/" + id)) break;
    ids.push_back(id);
  }
  return ids;
}

bool is_incident_word(const std::string& word) {
  return !word.empty() && word.size() <= 4 &&
         std::all_of(word.begin(), word.end(),
                     [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

// The incidents to tell: all, or the one --at means.
Result<std::vector<std::string>> chosen(const SavedRun& run, const std::string& directory,
                                        const std::string& at, std::string& note) {
  auto ids = incidents_of(run, directory);
  if (at.empty()) return ids;
  if (!is_incident_word(at)) {
    const auto found = incident_at(run, at);
    if (!found) return Failure(found.error());
    note = found->note;
    return std::vector<std::string>{found->id};
  }
  const std::string id = fmt::format("{:0>3}", at);
  if (std::find(ids.begin(), ids.end(), id) == ids.end())
    return fail(fmt::format("show --at {}: {} has no such incident ({})", at, directory,
                            incident_choice(ids)));
  return std::vector<std::string>{id};
}

std::string as_json(SavedRun& run, const std::string& directory,
                    const std::vector<std::string>& ids) {
  using Json = nlohmann::ordered_json;
  Json timeline = Json::array(), incidents = Json::array();
  const auto clock = clock_of(run);
  for (const TimelineRow& row : timeline_of(run))
    timeline.push_back({{"run_ms", row.run_ms},
                        {"local_time", clock ? Json(clock->at(row.run_ms)) : Json(nullptr)},
                        {"text", row.text}});
  for (const std::string& id : ids) {
    const auto explanation = Json::parse(
        content_of(directory + "/incidents/" + id + "/explanation.json"), nullptr, false);
    incidents.push_back(
        {{"id", id}, {"explanation", explanation.is_object() ? explanation : Json(nullptr)}});
  }
  const Json document = {{"schema", 1},
                         {"run", run.id},
                         {"directory", directory},
                         {"verdict", run.verdict ? Json(*run.verdict) : Json(nullptr)},
                         {"timeline", timeline},
                         {"incidents", incidents},
                         {"problems", run.problems}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const SavedRun& run, const std::string& directory,
                    const std::vector<std::string>& ids, const std::string& note) {
  std::string text = heading(run, directory) + "\n" + render_timeline(run);
  if (const std::string bars = render_throughput(run); !bars.empty()) text += "\n" + bars;
  if (!note.empty()) text += "\n" + note + "\n";
  for (const std::string& id : ids) {
    const std::string told = content_of(directory + "/incidents/" + id + "/explanation.txt");
    text += fmt::format("\nincident {}\n\n{}", id, told.empty() ? "(no explanation)\n" : told);
  }
  return text;
}

Result<int> run(const ShowWords& words) {
  const auto directory = find_run_directory(words.run, "show");
  if (!directory) return Failure(directory.error());
  if (!exists(*directory + "/events.jsonl") && !exists(*directory + "/verdict.json")) {
    // A capture, or one incident: no time line, only what stood.
    const auto saved = read_saved_explanations(*directory, words.json ? "json" : "text");
    if (!saved) return fail("show" + saved.error().what.substr(7), saved.error().origin);
    const auto told = write_result(saved->text, words.out);
    return told ? Result<int>(0) : Result<int>(Failure(told.error()));
  }
  SavedRun saved = read_saved_run(*directory);
  std::string note;
  const auto ids = chosen(saved, *directory, words.at, note);
  if (!ids) return Failure(ids.error());
  const auto told = write_result(
      words.json ? as_json(saved, *directory, *ids) : as_text(saved, *directory, *ids, note),
      words.out);
  if (!told) return Failure(told.error());
  for (const std::string& problem : saved.problems) say_on_stderr("show: " + problem);
  return saved.problems.empty() ? 0 : 3;
}

}  // namespace

RunCommand add_show(CLI::App& app) {
  const auto words = std::make_shared<ShowWords>();
  app.add_option("RUN", words->run, "Run directory, or the name of a run (default: latest)");
  app.add_option(
      "--at", words->at,
      "What stood at this local time of the run (03:12, 03:12:30), or an incident (001)");
  app.add_option("-o,--out", words->out, kPrintedInto);
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return run(*words); };
}

}  // namespace stallproof
