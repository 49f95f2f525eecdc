// SPDX-License-Identifier: Apache-2.0
// What somebody does to a running run on purpose, written into it: what stalls then is shown with
// it, and fails only by outlasting what is allowed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/sink/console.h"
#include "harness/store/mark.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostLetters = 200;
constexpr Nanos kMostFor = 7 * 24 * 3600 * kSecond;

struct MarkWords {
  std::string run, text, allow, lasts;
  bool json = false, quiet = false;
};

Result<Nanos> span(const std::string& word, const char* option) {
  const auto parsed = parse_duration(word);
  if (!parsed) return fail(fmt::format("mark: {}: {}", option, parsed.error().what));
  if (*parsed == 0 || *parsed > kMostFor)
    return fail(fmt::format("mark: {} {}: is not more than 0 and at most 7 days", option, word));
  return *parsed;
}

bool is_one_line(const std::string& text) {
  return !text.empty() && text.size() <= kMostLetters &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; });
}

Result<Mark> mark_of(const MarkWords& words) {
  if (!is_one_line(words.text))
    return fail(fmt::format("mark: the text is not one line of 1 to {} letters", kMostLetters));
  if (!words.allow.empty() && words.lasts.empty())
    return fail("mark: --allow needs --for: how long such a stall may begin");
  Mark mark{.at_ns = monotonic_now(), .realtime_ns = realtime_now(), .text = words.text};
  if (!words.lasts.empty()) {
    const auto lasts = span(words.lasts, "--for");
    if (!lasts) return Failure(lasts.error());
    mark.lasts_ns = *lasts;
  }
  if (words.allow.empty()) return mark;
  const auto allow = span(words.allow, "--allow");
  if (!allow) return Failure(allow.error());
  mark.allow_ns = *allow;
  return mark;
}

std::string document(const std::string& directory, const Mark& mark) {
  using Json = nlohmann::ordered_json;
  std::string id = read_file(directory + "/run.id", 4096).value_or("");
  id = id.substr(0, id.find('\n'));
  const auto ms = [](Nanos nanos) { return static_cast<double>(nanos) / 1e6; };
  const Json json = {{"schema", 1},
                     {"run", id},
                     {"directory", directory},
                     {"text", mark.text},
                     {"from", format_rfc3339(mark.realtime_ns)},
                     {"until", format_rfc3339(mark.realtime_ns + mark.lasts_ns)},
                     {"for_ms", ms(mark.lasts_ns)},
                     {"allow_ms", mark.allow_ns ? Json(ms(*mark.allow_ns)) : Json(nullptr)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> run(const MarkWords& words) {
  const auto mark = mark_of(words);
  if (!mark) return Failure(mark.error());
  const auto directory = find_run_directory(words.run, "mark");
  if (!directory) return Failure(directory.error());
  if (auto appended = append_mark(*directory, *mark); !appended)
    return fail("mark: " + appended.error().what);
  Console console({.quiet = words.quiet, .json = words.json});
  console.document(document(*directory, *mark));
  if (!words.json)
    console.result(fmt::format(
        "marked: {} ({}{})", mark->text, format_rfc3339(mark->realtime_ns),
        mark->allow_ns ? fmt::format(": for {} a stall may last {}", words.lasts, words.allow)
                       : ""));
  return console.lost_output() ? 3 : 0;
}

}  // namespace

RunCommand add_mark(CLI::App& app) {
  const auto words = std::make_shared<MarkWords>();
  app.add_option("RUN", words->run, "Directory of a run that goes on, its name, or latest")
      ->required();
  app.add_option("TEXT", words->text, "What is being done: one line")->required();
  app.add_option("--allow", words->allow,
                 "A stall that begins in the window may last so long: longer fails, in place of "
                 "--fail-after of the run");
  app.add_option("--for", words->lasts, "How long the window is, from now on");
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
