// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "harness/base/bounded.h"
#include "harness/base/one_line.h"
#include "harness/store/history.h"
#include "harness/store/history_signatures.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr Nanos kToAdd = 3 * kSecond, kToLookUp = kSecond;
constexpr char kSeen = 'S', kProblem = 'P';

std::string build_words(const std::string& build) {
  return build.empty() ? "" : ", build " + build;
}

std::string who(const std::string& incident) {
  return incident.empty() ? "this" : fmt::format("stall {}", incident);
}

// "stall 001 is the stall of 3 June 2026 (run …, build 1.2); seen in 12 runs since 1 May 2026".
std::string sighting_words(const std::string& incident, const Sighting& last,
                           const std::optional<SignatureHistory>& all) {
  if (!last.scenario.empty())
    return fmt::format("{} is the stall that `stallproof repro {}` makes (run {})", who(incident),
                       last.scenario, last.run);
  std::string text = fmt::format("{} is the stall of {} (run {}{})", who(incident),
                                 date_words(last.at), last.run, build_words(last.build));
  if (all && all->first && all->runs > 1)
    text += fmt::format("; seen in {} runs since {}", all->runs, date_words(all->first->at));
  return text;
}

struct Question {
  std::string signature, incident, run;
  std::int64_t before_ms = std::numeric_limits<std::int64_t>::max();
  bool wild_only = false;  // whoever makes it on purpose knows that it can be made
};

Result<std::string> answer(History& history, const Question& question) {
  const auto last = seen_before(history, question.signature, question.run, question.before_ms);
  if (!last) return Failure(last.error());
  if (!*last || (question.wild_only && !(*last)->scenario.empty())) return std::string();
  HistoryFilter filter;
  filter.signature = question.signature;
  const auto all = signatures_of(history, filter);
  if (!all) return Failure(all.error());
  return sighting_words(question.incident, **last,
                        all->empty() ? std::nullopt : std::optional(all->front()));
}

void say(int into, char kind, const std::string& text) {
  const std::string line = kind + on_one_line(text) + '\n';
  // Whoever no longer reads has given us up.
  [[maybe_unused]] const ssize_t put = ::write(into, line.data(), line.size());
}

int say_problem(int into, const std::string& what) {
  say(into, kProblem, what);
  return 0;
}

int answer_all(History& history, const std::vector<Question>& questions, int into) {
  for (const Question& question : questions) {
    const auto line = answer(history, question);
    if (!line) return say_problem(into, line.error().what);
    if (!line->empty()) say(into, kSeen, *line);
  }
  return 0;
}

int add_run(const std::string& directory, int into) {
  auto history = History::open(state_directory());
  if (!history) return say_problem(into, history.error().what);
  if (!(*history)->can_write())
    return say_problem(into, history_file(state_directory()) + ": cannot be written");
  const HistoryEntry entry = read_history_entry(directory);
  if (auto put = (*history)->put(entry); !put) return say_problem(into, put.error().what);
  std::vector<Question> questions;
  for (const StallEntry& stall : entry.verdict.stalls) {
    const auto onset = parse_rfc3339(stall.onset);
    questions.push_back({.signature = stall.signature,
                         .incident = stall.id,
                         .run = entry.run,
                         .before_ms = onset ? onset->unix_ms : entry.started.unix_ms,
                         .wild_only = !entry.verdict.scenario.empty()});
  }
  return answer_all(**history, questions, into);
}

int look_up(const std::vector<std::string>& signatures, int into) {
  if (::access(history_file(state_directory()).c_str(), R_OK) != 0) return 0;
  auto history = History::open(state_directory());
  if (!history) return say_problem(into, history.error().what);
  std::vector<Question> questions;
  for (const std::string& signature : signatures) questions.push_back({.signature = signature});
  return answer_all(**history, questions, into);
}

HistoryTold understand(const BoundedText& said) {
  HistoryTold told;
  std::string_view rest = said.text;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (line.starts_with(kSeen)) told.seen.push_back(line.substr(1));
    if (line.starts_with(kProblem)) told.problem = line.substr(1);
  }
  if (!told.problem.empty() || said.error == 0) return told;
  told.problem = history_file(state_directory()) + ": " +
                 (said.error == ETIMEDOUT ? "did not answer in time" : std::strerror(said.error));
  return told;
}

}  // namespace

HistoryTold record_in_history(const std::string& run_directory) {
  return understand(
      text_bounded([&](int into) { return add_run(run_directory, into); }, Deadline::in(kToAdd)));
}

HistoryTold look_up_in_history(const std::vector<std::string>& signatures) {
  const auto named = [](const std::string& each) { return names_a_stall(each); };
  if (std::none_of(signatures.begin(), signatures.end(), named)) return {};
  return understand(
      text_bounded([&](int into) { return look_up(signatures, into); }, Deadline::in(kToLookUp)));
}

}  // namespace stallproof
