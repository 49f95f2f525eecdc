// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "harness/base/privileges.h"
#include "harness/capture/live_look.h"
#include "harness/cmd/command.h"
#include "harness/cmd/explain_input.h"
#include "harness/cmd/saved_explanation.h"
#include "harness/cmd/stdout_text.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/render.h"
#include "harness/explain/vmcore/vmcore_look.h"
#include "harness/store/history_record.h"

namespace stallproof {
namespace {

// What CLI11 gives for a flag without a value.
constexpr const char* kAlone = "true";

struct ExplainWords {
  std::vector<std::string> files, fs_files;
  std::string format = "text", out, check_fs;
  std::vector<std::string> crash_text, kmsg, vmcore;  // of each flag: kAlone, or its =FILE
  bool live = false, crash_script = false;
  bool json = false, bt = false, tasks = false, waiters = false;
  std::string system_map, modules;

  [[nodiscard]] int views() const { return int{bt} + int{tasks} + int{waiters}; }
  [[nodiscard]] bool ask_for_dump() const {
    return views() != 0 || !system_map.empty() || !modules.empty();
  }
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

Result<int> deliver(const std::string& text, const ExplainWords& words, bool complete) {
  const auto written = write_result(text, words.out);
  if (!written) return Failure(written.error());
  return complete ? 0 : 3;
}

Result<int> show_saved(const ExplainWords& words) {
  if (words.files.size() != 1)
    return fail("explain: a run or incident directory is explained alone, without other files");
  const auto saved = read_saved_explanations(words.files[0], words.format);
  if (!saved) return Failure(saved.error());
  if (!saved->problems.empty()) say_on_stderr("explain: " + saved->problems);
  return deliver(saved->text, words, saved->problems.empty());
}

Result<InputKind> forced_kind(const ExplainWords& words) {
  const bool crash_text = !words.crash_text.empty(), kmsg = !words.kmsg.empty();
  const bool vmcore = !words.vmcore.empty();
  if (int{crash_text} + int{kmsg} + int{vmcore} > 1)
    return fail("explain: give only one of --crash-text, --kmsg and --vmcore");
  if (vmcore) return InputKind::vmcore;
  if (crash_text) return InputKind::crash_text;
  return kmsg ? InputKind::kernel_log : InputKind::unknown;
}

// What is text by nature, under a name where a document is asked for.
std::string as_asked(const ExplainWords& words, const char* name, const std::string& text) {
  if (!words.json) return text;
  const nlohmann::ordered_json told{{"schema", 1}, {name, text}};
  return told.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// --kmsg=FILE is --kmsg FILE.
void take_files_of_flags(ExplainWords& words) {
  std::vector<std::string> files;
  for (const auto* const flag : {&words.crash_text, &words.kmsg, &words.vmcore})
    std::copy_if(flag->begin(), flag->end(), std::back_inserter(files),
                 [](const std::string& word) { return word != kAlone; });
  words.files.insert(words.files.begin(), files.begin(), files.end());
}

// What was seen in each directory, to be explained anew; says what cannot be. Whether that is all.
Result<bool> put_snapshots_for_directories(std::vector<std::string>& files) {
  std::vector<std::string> all;
  bool complete = true;
  for (const std::string& file : files) {
    if (!is_directory(file)) {
      all.push_back(file);
      continue;
    }
    const auto saved = find_saved_snapshots(file);
    if (!saved) return Failure(saved.error());
    if (!saved->problems.empty()) say_on_stderr("explain: " + saved->problems);
    complete = complete && saved->problems.empty();
    all.insert(all.end(), saved->files.begin(), saved->files.end());
  }
  files = std::move(all);
  return complete;
}

// The stall may be an old acquaintance of this node.
void tell_seen(const std::vector<std::string>& signatures) {
  const HistoryTold told = look_up_in_history(signatures);
  for (const std::string& line : told.seen) remark_on_stderr(line);
  if (!told.problem.empty()) say_on_stderr("history: " + told.problem);
}

Result<int> explain_live(const FsKnowledge& knowledge, const ExplainWords& words) {
  const auto look = look_now();
  if (!look) return Failure(look.error());
  const Explanation explanation = explain(look->snapshot, knowledge);
  const auto text = render_as(explanation, words.format);
  if (!text) return Failure(text.error());
  const auto delivered = deliver(*text, words, look->complete);
  if (delivered) tell_seen({explanation.signature});
  return delivered;
}

Failure only_of_dumps() {
  return fail(
      "explain: --bt, --tasks, --waiters, --system-map and --modules are for memory images "
      "(vmcores)");
}

// A dump alone: it is a whole kernel. nullopt when the files are something else.
Result<std::optional<int>> explain_dump(const FsKnowledge& knowledge, const ExplainWords& words,
                                        InputKind kind) {
  const bool forced = kind == InputKind::vmcore;
  const auto is_dump = [&](const std::string& file) { return forced || begins_as_vmcore(file); };
  const bool any = kind == InputKind::crash_text || kind == InputKind::kernel_log
                       ? false
                       : std::any_of(words.files.begin(), words.files.end(), is_dump);
  if (!any) {
    if (!words.ask_for_dump()) return std::optional<int>{};
    return only_of_dumps();
  }
  if (words.files.size() != 1)
    return fail("explain: a memory image is explained alone, without other files");
  if (words.views() > 1) return fail("explain: give only one of --bt, --tasks and --waiters");
  const VmcoreView view = words.bt        ? VmcoreView::bt
                          : words.tasks   ? VmcoreView::tasks
                          : words.waiters ? VmcoreView::waiters
                                          : VmcoreView::explanation;
  if (view != VmcoreView::explanation && words.format != "text")
    return fail("explain: --bt, --tasks and --waiters are text only");
  const auto look = look_at_vmcore(words.files[0], view, {words.system_map, words.modules});
  if (!look) return fail("explain: " + look.error().what, look.error().origin);
  std::string text = look->text;
  std::vector<std::string> signatures;
  if (view == VmcoreView::explanation) {
    const Explanation explanation = explain(look->snapshot, knowledge);
    auto rendered = render_as(explanation, words.format);
    if (!rendered) return Failure(rendered.error());
    text = std::move(*rendered);
    signatures.push_back(explanation.signature);
  }
  const auto delivered = deliver(text, words, look->missing.empty());
  if (!delivered) return Failure(delivered.error());
  for (const std::string& each : look->missing) say_on_stderr(words.files[0] + ": " + each);
  tell_seen(signatures);
  return std::optional<int>(*delivered);
}

Result<int> run(ExplainWords words) {
  if (!words.live) work_with_files_only();
  take_files_of_flags(words);
  if (words.json) words.format = "json";
  if (words.crash_script)
    return deliver(as_asked(words, "script", std::string(crash_script())), words, true);
  if (!words.check_fs.empty()) {
    const auto text = describe_fs_file(words.check_fs);
    return text ? deliver(as_asked(words, "meaning", *text), words, true)
                : Result<int>(Failure(text.error()));
  }
  if (words.live == !words.files.empty())
    return fail(
        "explain: give either --live or FILE (crash text, kernel log, snapshot, archive or "
        "directory of a capture or run)");
  // Checked before any work: a typing mistake must not cost the one look at a stall.
  if (auto known = render_as(Explanation{}, words.format); !known) return Failure(known.error());
  const auto kind = forced_kind(words);
  if (!kind) return Failure(kind.error());
  bool all_seen = true;
  if (std::any_of(words.files.begin(), words.files.end(), is_directory)) {
    if (words.ask_for_dump()) return only_of_dumps();
    if (words.fs_files.empty()) return show_saved(words);
    // Other knowledge than when it was saved: explained anew from what was seen.
    const auto put = put_snapshots_for_directories(words.files);
    if (!put) return Failure(put.error());
    all_seen = *put;
  }
  const auto knowledge = load_fs_knowledge(words.fs_files);
  if (!knowledge) return Failure(knowledge.error());
  if (words.live && words.ask_for_dump()) return only_of_dumps();
  if (words.live) return explain_live(*knowledge, words);
  const auto dump = explain_dump(*knowledge, words, *kind);
  if (!dump) return Failure(dump.error());
  if (*dump) return **dump;
  const auto explained = explain_files(words.files, *kind, *knowledge, words.format);
  if (!explained) return Failure(explained.error());
  // Said last: a result that cannot be written is one line.
  auto delivered = deliver(explained->text, words, explained->complete && all_seen);
  if (!delivered) return delivered;
  // What was read; or, of input that was understood in part, why.
  const auto tell = explained->complete ? remark_on_stderr : say_on_stderr;
  for (const std::string& note : explained->notes) tell(note);
  tell_seen(explained->signatures);
  return delivered;
}

}  // namespace

RunCommand add_explain(CLI::App& app) {
  const auto words = std::make_shared<ExplainWords>();
  app.add_option("FILE", words->files,
                 "What to explain: a memory image (vmcore), output of crash, a kernel log, "
                 "snapshot.json, the archive of a capture (- is stdin), or the directory of a "
                 "capture, a run or one of its incidents");
  app.add_flag("--live", words->live, "Explain what stands still on this machine now");
  app.add_flag("--crash-text", words->crash_text,
               "The files are output of crash (also --crash-text=FILE), packed by gzip or not");
  app.add_flag("--kmsg", words->kmsg,
               "The files are kernel logs (also --kmsg=FILE), packed by gzip or not");
  app.add_flag("--vmcore", words->vmcore,
               "The file is a memory image of a dead kernel (also --vmcore=FILE)");
  app.add_flag("--bt", words->bt, "Of a memory image: every stack, as `foreach bt` of crash");
  app.add_flag("--tasks", words->tasks, "Of a memory image: every task, as `ps` of crash");
  app.add_flag("--waiters", words->waiters,
               "Of a memory image: every lock's queue, as `list rwsem_waiter` of crash");
  app.add_option("--system-map", words->system_map,
                 "System.map of the kernel, for a memory image without a symbol table");
  app.add_option("--modules", words->modules,
                 "Folder of .ko files, for modules whose functions a memory image does not name");
  app.add_flag("--crash-script", words->crash_script,
               "Print what to type into crash so that its output can be explained");
  app.add_option("--check-fs", words->check_fs,
                 "Check a file for --fs and say in plain words what it means");
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--format", words->format, "text, json, dot, or svg (of one explanation)")
      ->capture_default_str();
  app.add_flag("--json", words->json,
               "Same as --format json: one document; of several explanations an array, "
               "`explanations`");
  app.add_option("-o,--out", words->out, "Write to this file");
  return [words] { return run(*words); };
}

}  // namespace stallproof
