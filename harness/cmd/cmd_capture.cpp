// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/capture/capture.h"
#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/explain/render.h"

namespace stallproof {
namespace {

struct CaptureWords {
  std::optional<int> pid;
  std::string mount, deadline = "5s", out;
  std::vector<std::string> fs_files;
  bool sysrq = false, json = false;
};

std::string as_json(const Capture& capture) {
  using Json = nlohmann::ordered_json;
  Json next = Json::array();
  for (const NextCommand& each : capture.next)
    next.push_back({{"command", each.command}, {"why", each.why}});
  Json document = Json::parse(capture.summary_json);
  document["problems"] = capture.problems;
  document["directory"] = capture.kept ? Json(capture.directory) : Json(nullptr);
  document["archive"] = capture.kept ? Json(capture.archive) : Json(nullptr);
  document["next_commands"] = next;
  document["explanation"] = Json::parse(render_json(capture.explanation));
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const Capture& capture) {
  std::string text = render_text(capture.explanation) + "\nNext:\n";
  for (const NextCommand& each : capture.next)
    text += fmt::format("  {}\n      {}\n", each.command, each.why);
  if (!capture.problems.empty()) text += "\nNot seen or not kept:\n";
  for (const std::string& problem : capture.problems) text += "  - " + problem + "\n";
  if (capture.kept)
    text += fmt::format("\nevidence: {}\narchive:  {}\n", capture.directory, capture.archive);
  return text;
}

Result<int> run(const CaptureWords& words) {
  CaptureOptions options{.pid = words.pid,
                         .mount = words.mount,
                         .sysrq = words.sysrq,
                         .out = words.out,
                         .fs_files = words.fs_files};
  const auto deadline = parse_duration(words.deadline);
  if (!deadline) return fail("--deadline: " + deadline.error().what);
  if (*deadline < kSecond) return fail("--deadline: less than 1s is too short to look twice");
  options.deadline = *deadline;
  const auto capture = capture_this_machine(options);
  if (!capture) return Failure(capture.error());
  if (auto told = write_stdout(words.json ? as_json(*capture) : as_text(*capture)); !told)
    return Failure(told.error());
  if (!capture->kept) say_on_stderr("capture: " + capture->problems.back());
  return capture->complete && capture->kept ? 0 : 3;
}

}  // namespace

RunCommand add_capture(CLI::App& app) {
  const auto words = std::make_shared<CaptureWords>();
  app.add_option("--pid", words->pid, "Only this process and what it waits for");
  app.add_option("--mount", words->mount, "Only the users and servers of this mount");
  app.add_flag("--sysrq", words->sysrq,
               "Also ask the kernel for its blocked tasks by sysrq (w, l, m and t)");
  app.add_option("--deadline", words->deadline, "For everything")->capture_default_str();
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-o,--out", words->out, "Directory for the evidence; the archive lies beside it");
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return run(*words); };
}

}  // namespace stallproof
