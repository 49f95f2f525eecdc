// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "harness/base/file.h"
#include "harness/capture/live_look.h"
#include "harness/cmd/command.h"
#include "harness/cmd/explain_input.h"
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
  std::string format = "text", out, check_fs;
  bool live = false, crash_text = false, kmsg = false, vmcore = false, crash_script = false;
  bool json = false;
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

Result<int> deliver(const std::string& text, const Words& words, bool complete) {
  const auto written =
      words.out.empty() ? write_stdout(text) : write_file_atomically(words.out, text);
  if (!written) return Failure(written.error());
  return complete ? 0 : 3;
}

Result<int> show_saved(const Words& words) {
  if (words.files.size() != 1)
    return fail("explain: a run or incident directory is explained alone, without other files");
  const auto saved = read_saved_explanations(words.files[0], words.format);
  if (!saved) return Failure(saved.error());
  if (!saved->problems.empty()) say_on_stderr("explain: " + saved->problems);
  return deliver(saved->text, words, saved->problems.empty());
}

Result<InputKind> forced_kind(const Words& words) {
  if (words.vmcore)
    return fail(
        "explain --vmcore: memory images are not read: open it in crash, type what `stallproof "
        "explain --crash-script` prints, and give the output");
  if (words.crash_text && words.kmsg) return fail("explain: give either --crash-text or --kmsg");
  if (words.crash_text) return InputKind::crash_text;
  return words.kmsg ? InputKind::kernel_log : InputKind::unknown;
}

Result<int> explain_live(const FsKnowledge& knowledge, const Words& words) {
  const auto look = look_now();
  if (!look) return Failure(look.error());
  const auto text = render_as(explain(look->snapshot, knowledge), words.format);
  if (!text) return Failure(text.error());
  return deliver(*text, words, look->complete);
}

Result<int> run(Words words) {
  if (words.json) words.format = "json";
  if (words.crash_script) return deliver(std::string(crash_script()), words, true);
  if (!words.check_fs.empty()) {
    const auto text = describe_fs_file(words.check_fs);
    return text ? deliver(*text, words, true) : Result<int>(Failure(text.error()));
  }
  if (words.live == !words.files.empty())
    return fail(
        "explain: give either --live or FILE (crash text, kernel log, snapshot, archive or "
        "directory of a capture or run)");
  // Checked before any work: a typing mistake must not cost the one look at a stall.
  if (auto known = render_as(Explanation{}, words.format); !known) return Failure(known.error());
  const auto kind = forced_kind(words);
  if (!kind) return Failure(kind.error());
  if (std::any_of(words.files.begin(), words.files.end(), is_directory)) {
    if (words.fs_files.empty()) return show_saved(words);
    // Other knowledge than when it was saved: explained anew from what was seen.
    for (std::string& file : words.files)
      if (is_directory(file)) file += "/snapshot.json";
  }
  const auto knowledge = load_fs_knowledge(words.fs_files);
  if (!knowledge) return Failure(knowledge.error());
  if (words.live) return explain_live(*knowledge, words);
  const auto explained = explain_files(words.files, *kind, *knowledge, words.format);
  if (!explained) return Failure(explained.error());
  // Said last: a result that cannot be written is one line.
  auto delivered = deliver(explained->text, words, explained->complete);
  if (!delivered) return delivered;
  for (const std::string& note : explained->notes) say_on_stderr(note);
  return delivered;
}

}  // namespace

RunCommand add_explain(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option(
      "FILE", words->files,
      "What to explain: output of crash (bt, foreach bt, list rwsem_waiter), a kernel log, "
      "snapshot.json, the archive of a capture (- is stdin), or the directory of a "
      "capture, a run or one of its incidents");
  app.add_flag("--live", words->live, "Explain what stands still on this machine now");
  app.add_flag("--crash-text", words->crash_text, "The files are output of crash");
  app.add_flag("--kmsg", words->kmsg, "The files are kernel logs");
  app.add_flag("--vmcore", words->vmcore, "The file is a memory image (says how to have it read)");
  app.add_flag("--crash-script", words->crash_script,
               "Print what to type into crash so that its output can be explained");
  app.add_option("--check-fs", words->check_fs,
                 "Check a file for --fs and say in plain words what it means");
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--format", words->format, "text, json, dot or svg")->capture_default_str();
  app.add_flag("--json", words->json, "Same as --format json");
  app.add_option("-o,--out", words->out, "Write to this file");
  return [words] { return run(*words); };
}

}  // namespace stallproof
