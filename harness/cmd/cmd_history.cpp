// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/large_pages.h"
#include "harness/base/settings.h"
#include "harness/cmd/command.h"
#include "harness/cmd/history_words.h"
#include "harness/cmd/stdout_text.h"
#include "harness/store/history_export.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

struct HistoryWords {
  std::string build, signature, since, run, a, b, out, load;
  std::string metric = "stalls_per_hour";
  std::vector<std::string> labels, directories;
  std::int64_t limit = 20;
  bool json = false, csv = false, has_build = false;
};

using Answer = Result<int> (*)(const HistoryWords& words);

Result<std::unique_ptr<History>> open_up_to_date() {
  auto history = History::open(state_directory());
  if (!history) return Failure(history.error());
  const auto found = (*history)->pick_up();
  if (!found) return Failure(found.error());
  if (!found->left_out.empty()) say_on_stderr("history: " + found->left_out);
  return history;
}

Result<HistoryFilter> filter_of(const HistoryWords& words) {
  HistoryFilter filter;
  filter.signature = words.signature;
  if (words.has_build) filter.build = words.build;
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  filter.labels = labels->all();
  if (words.since.empty()) return filter;
  const auto since = parse_since(words.since);
  if (!since) return Failure(since.error());
  filter.since_ms = *since;
  return filter;
}

Result<int> tell(const std::string& text, const HistoryWords& words) {
  const auto written = write_result(text, words.out);
  return written ? Result<int>(0) : Result<int>(Failure(written.error()));
}

Result<int> list_json(History& history, const HistoryFilter& filter, const HistoryWords& words,
                      const std::vector<SignatureHistory>& signatures) {
  const auto all = count_runs(history, filter);
  if (!all) return Failure(all.error());
  ListDocument document(*all);
  const auto read = each_run(history, filter, words.limit,
                             [&document](const HistoryRun& run) { document.add(run); });
  if (!read) return Failure(read.error());
  return tell(std::move(document).finish(signatures), words);
}

Result<int> list(const HistoryWords& words) {
  const auto filter = filter_of(words);
  if (!filter) return Failure(filter.error());
  auto history = open_up_to_date();
  if (!history) return Failure(history.error());
  std::vector<SignatureHistory> signatures;
  if (!filter->signature.empty()) {
    auto told = signatures_of(**history, *filter);
    if (!told) return Failure(told.error());
    signatures = std::move(*told);
  }
  if (words.json) return list_json(**history, *filter, words, signatures);
  const auto found = find_runs(**history, *filter, words.limit);
  if (!found) return Failure(found.error());
  return tell(list_text(*found, signatures), words);
}

Result<int> show(const HistoryWords& words) {
  auto history = open_up_to_date();
  if (!history) return Failure(history.error());
  const auto run = find_run(**history, words.run);
  if (!run) return Failure(run.error());
  std::vector<SignatureHistory> known;
  for (const HistoryStall& stall : run->stalls) {
    const auto again = [&](const SignatureHistory& each) {
      return each.signature == stall.signature;
    };
    if (!names_a_stall(stall.signature) || std::any_of(known.begin(), known.end(), again)) continue;
    HistoryFilter filter;
    filter.signature = stall.signature;
    auto told = signatures_of(**history, filter);
    if (!told) return Failure(told.error());
    known.insert(known.end(), told->begin(), told->end());
  }
  return tell(words.json ? document(show_json(*run, known)) : show_text(*run, known), words);
}

// A build, else a run.
Result<Compared> side_of(History& history, const std::string& word, HistoryFilter filter) {
  filter.build = word;
  auto build = figures_together(history, filter);
  if (!build) return Failure(build.error());
  if (build->runs + build->on_purpose > 0) return Compared{"build " + word, std::move(*build)};
  const auto run = find_run(history, word);
  if (!run)
    return fail(
        fmt::format("history compare: {}: neither a build (--label build=…) nor a run of "
                    "the history (see `stallproof history list`)",
                    word));
  HistoryFilter one;
  one.run = run->run.run;
  auto figures = figures_together(history, one);
  if (!figures) return Failure(figures.error());
  return Compared{"run " + run->run.run, std::move(*figures)};
}

Result<int> compare(const HistoryWords& words) {
  const auto filter = filter_of(words);
  if (!filter) return Failure(filter.error());
  auto history = open_up_to_date();
  if (!history) return Failure(history.error());
  const auto a = side_of(**history, words.a, *filter);
  if (!a) return Failure(a.error());
  const auto b = side_of(**history, words.b, *filter);
  if (!b) return Failure(b.error());
  return tell(words.json ? document(compare_json(*a, *b)) : compare_text(*a, *b), words);
}

Result<int> trend(const HistoryWords& words) {
  if (auto known = check_metric(words.metric); !known) return Failure(known.error());
  const auto filter = filter_of(words);
  if (!filter) return Failure(filter.error());
  auto history = open_up_to_date();
  if (!history) return Failure(history.error());
  const auto builds = figures_by_build(**history, *filter);
  if (!builds) return Failure(builds.error());
  return tell(words.json ? document(trend_json(*builds, words.metric, words.load))
                         : trend_text(*builds, words.metric, words.load),
              words);
}

Result<int> export_table(const HistoryWords& words) {
  if (words.csv == words.json) return fail("history export: give either --csv or --json");
  const auto filter = filter_of(words);
  if (!filter) return Failure(filter.error());
  auto history = open_up_to_date();
  if (!history) return Failure(history.error());
  const auto table = history_table(**history, *filter);
  if (!table) return Failure(table.error());
  const std::string text = words.json ? table_document(*table) : as_csv(*table);
  return tell(text, words);
}

Result<int> rebuild(const HistoryWords& words) {
  std::string aside;
  auto history = History::open_undamaged(state_directory(), aside);
  if (!history) return Failure(history.error());
  if (!aside.empty()) say_on_stderr("history: the damaged file is kept as " + aside);
  const auto rebuilt = (*history)->rebuild(words.directories);
  if (!rebuilt) return Failure(rebuilt.error());
  if (words.json)
    return tell(document({{"schema", 1},
                          {"runs", rebuilt->runs},
                          {"gone", rebuilt->gone},
                          {"damaged_file", aside.empty() ? nlohmann::ordered_json(nullptr)
                                                         : nlohmann::ordered_json(aside)}}),
                words);
  std::string text = fmt::format("{} runs in {}\n", rebuilt->runs, history_file(state_directory()));
  for (const std::string& gone : rebuilt->gone)
    text += fmt::format("no longer there, left out: {}\n", gone);
  return tell(text, words);
}

void add_filter(CLI::App& app, HistoryWords& words) {
  app.add_option("--label", words.labels, "Only runs with this label (KEY=VALUE); may be repeated")
      ->allow_extra_args(false);
  app.add_option("--since", words.since,
                 "Only runs that started then or later: 2026-11-01, an RFC 3339 stamp, or how "
                 "long ago (36h, 7d)");
}

void add_build(CLI::App& app, HistoryWords& words) {
  app.add_option_function<std::string>(
      "--build",
      [&words](const std::string& build) {
        words.build = build;
        words.has_build = true;
      },
      "Only runs of this build (label build=…)");
}

using Answers = std::vector<std::pair<const CLI::App*, Answer>>;

CLI::App& add(CLI::App& app, Answers& answers, const char* name, const char* summary, Answer answer,
              HistoryWords& words) {
  CLI::App* const sub = app.add_subcommand(name, summary);
  sub->add_option("-o,--out", words.out, kPrintedInto);
  sub->add_flag("--json", words.json, "One JSON document on stdout and nothing else");
  answers.emplace_back(sub, answer);
  return *sub;
}

void add_answers(CLI::App& app, Answers& answers, HistoryWords& words) {
  CLI::App& lists = add(app, answers, "list", "Runs, newest first", list, words);
  add_build(lists, words);
  add_filter(lists, words);
  lists.add_option("--signature", words.signature,
                   "Only runs that had this stall; also since when, how often and in which builds");
  lists.add_option("--limit", words.limit, "At most so many runs; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  CLI::App& shows =
      add(app, answers, "show", "One run, and where its stalls were seen before", show, words);
  shows.add_option("RUN", words.run, "Name of a run or its beginning, its directory, or latest")
      ->required();
  CLI::App& compares =
      add(app, answers, "compare", "Two builds or runs: rates of each stall, medians of each load",
          compare, words);
  compares.add_option("A", words.a, "A build (label build=…) or a run")->required();
  compares.add_option("B", words.b, "Another one")->required();
  add_filter(compares, words);
  CLI::App& trends = add(app, answers, "trend", "One figure, build by build", trend, words);
  trends.add_option("--metric", words.metric, "One of: " + metric_names())->capture_default_str();
  trends.add_option("--load", words.load, "Only this load, of a figure of loads");
  add_filter(trends, words);
  CLI::App& exports =
      add(app, answers, "export",
          "Every run as a row, oldest first, for tools that look for changes", export_table, words);
  exports.add_flag("--csv", words.csv, "As CSV with a header");
  add_build(exports, words);
  add_filter(exports, words);
  CLI::App& rebuilds =
      add(app, answers, "rebuild", "Make the history anew from run directories", rebuild, words);
  rebuilds.add_option("DIR", words.directories,
                      "Run directories elsewhere, or folders of them, to be in it as well");
}

}  // namespace

RunCommand add_history(CLI::App& app) {
  const auto words = std::make_shared<HistoryWords>();
  const auto answers = std::make_shared<Answers>();
  add_answers(app, *answers, *words);
  app.require_subcommand(1);
  return [&app, words, answers]() -> Result<int> {
    take_memory_in_large_pages();
    for (const auto& [sub, answer] : *answers)
      if (app.got_subcommand(sub)) return answer(*words);
    return fail("history: what about it? (see stallproof history --help)");
  };
}

}  // namespace stallproof
