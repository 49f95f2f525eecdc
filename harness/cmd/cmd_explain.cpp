// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "harness/base/file.h"
#include "harness/capture/live_look.h"
#include "harness/cmd/command.h"
#include "harness/cmd/saved_explanation.h"
#include "harness/cmd/stdout_text.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/render.h"

namespace stallproof {
namespace {

struct Words {
  std::vector<std::string> files, fs_files;
  std::string format = "text", out;
  bool live = false, crash_text = false, json = false;
};

Result<LiveLook> look_now() {
  if (::geteuid() != 0)
    return fail(
        "explain --live: not root: the kernel's locks and other users' stacks are hidden (run with "
        "sudo)");
  auto look = look_at_this_machine({}, 10 * kSecond);
  if (look && !look->problem.empty()) say_on_stderr("falling back to /proc: " + look->problem);
  return look;
}

Result<std::string> read_files(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) {
    auto content = read_file(file == "-" ? "/dev/stdin" : file);
    if (!content) return fail("explain: " + content.error().what);
    text += *content;
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  return text;
}

Result<std::string> render(const Explanation& explanation, const std::string& format) {
  if (format == "text") return render_text(explanation);
  if (format == "json") return render_json(explanation);
  if (format == "dot") return render_dot(explanation);
  if (format == "svg") return render_svg(explanation);
  return fail(fmt::format("--format: '{}' is not known (one of: text, json, dot, svg)", format));
}

Result<int> deliver(const std::string& text, const Words& words, bool complete) {
  const auto written =
      words.out.empty() ? write_stdout(text) : write_file_atomically(words.out, text);
  if (!written) return Failure(written.error());
  return complete ? 0 : 3;
}

Result<int> print(const Explanation& explanation, const Words& words, bool complete) {
  const auto text = render(explanation, words.format);
  if (!text) return Failure(text.error());
  return deliver(*text, words, complete);
}

Result<int> show_saved(const Words& words) {
  if (words.files.size() != 1)
    return fail("explain: a run or incident directory is explained alone, without other files");
  const auto saved = read_saved_explanations(words.files[0], words.format);
  if (!saved) return Failure(saved.error());
  if (!saved->problems.empty()) say_on_stderr("explain: " + saved->problems);
  return deliver(saved->text, words, saved->problems.empty());
}

Result<int> explain_text(const FsKnowledge& knowledge, const Words& words) {
  const auto text = read_files(words.files);
  if (!text) return Failure(text.error());
  const CrashText crash = parse_crash_text(*text);
  if (crash.snapshot.tasks.empty() && crash.snapshot.locks.empty())
    return fail(fmt::format("explain: no crash text in {} (wanted: output of crash's bt, foreach "
                            "bt or list rwsem_waiter)",
                            fmt::join(words.files, ", ")),
                Origin::infra);
  for (const TextProblem& problem : crash.problems)
    say_on_stderr(fmt::format("line {}: {}", problem.line, problem.what));
  return print(explain(crash.snapshot, knowledge), words, crash.complete);
}

Result<int> run(Words words) {
  if (words.json) words.format = "json";
  if (words.live == !words.files.empty())
    return fail("explain: give either --live or FILE (crash text, or the directory of a run)");
  // Checked before any work: a typing mistake must not cost the one look at a stall.
  if (auto known = render(Explanation{}, words.format); !known) return Failure(known.error());
  if (std::any_of(words.files.begin(), words.files.end(), is_directory)) return show_saved(words);
  const auto knowledge = load_fs_knowledge(words.fs_files);
  if (!knowledge) return Failure(knowledge.error());
  if (!words.live) return explain_text(*knowledge, words);
  const auto look = look_now();
  if (!look) return Failure(look.error());
  return print(explain(look->snapshot, *knowledge), words, look->complete);
}

}  // namespace

RunCommand add_explain(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option("FILE", words->files,
                 "Saved output of crash (bt, foreach bt, list rwsem_waiter; - is stdin), or the "
                 "directory of a run or of one of its incidents");
  app.add_flag("--live", words->live, "Explain what stands still on this machine now");
  app.add_flag("--crash-text", words->crash_text, "The files are output of crash (the default)");
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--format", words->format, "text, json, dot or svg")->capture_default_str();
  app.add_flag("--json", words->json, "Same as --format json");
  app.add_option("-o,--out", words->out, "Write to this file");
  return [words] { return run(*words); };
}

}  // namespace stallproof
