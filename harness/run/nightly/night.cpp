// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/probe/result_place.h"
#include "harness/run/nightly/night_keep.h"
#include "harness/run/nightly/night_record.h"
#include "harness/run/nightly/night_step.h"
#include "harness/run/plan/target_look.h"
#include "harness/run/preflight/dead_scratch.h"
#include "harness/run/preflight/preflight.h"
#include "harness/run/undo_journal.h"
#include "harness/store/night_runs.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr Nanos kPostmortemWithin = 600 * kSecond;
constexpr Nanos kGateWithin = 600 * kSecond;
// What a run writes in an hour at most, and the evidence of a bad one.
constexpr std::uint64_t kBytesAnHour = 20'000'000;
constexpr std::size_t kMostOfStatus = 200;
constexpr std::uint64_t kEvidenceBytes = 256ULL << 20U;

class Night {
 public:
  Night(const NightOptions& options, Console& console)
      : options_(options),
        plan_(options.plan),
        console_(console),
        manager_(ServiceManager::from_environment()),
        steps_(manager_, [this](std::string_view text) { tell(text); }) {}

  Result<int> run() {
    if (auto ready = prepare(); !ready) return Failure(ready.error());
    clean_up();
    if (node_is_clean()) {
      for (const NightTarget& target : targets_to_run()) run_on(target);
      judge();
    }
    manager_.status("removing what need not be kept");
    record_.kept = keep();
    return end();
  }

 private:
  Result<> prepare();
  Result<> hold_place();
  NightKept keep() {
    return keep_nights(plan_, record_.output, record_.id, [this] { steps_.alive(); });
  }
  void clean_up();
  void close_dead_runs();
  bool node_is_clean();
  void look_at_targets();
  [[nodiscard]] PreflightNeeds needs() const;
  std::vector<NightTarget> targets_to_run();
  void run_on(NightTarget target);
  void start_on(NightTarget& target);
  void find_runs();
  void judge();
  Result<int> end();
  void tell(std::string_view text) const;
  void say(const std::string& line) { console_.problem(line); }
  [[nodiscard]] std::string folder() const { return record_.output + "/nights/" + record_.id; }

  const NightOptions& options_;
  const NightPlan& plan_;
  Console& console_;
  ServiceManager manager_;
  NightSteps steps_;
  NightRecord record_;
  std::vector<TargetLook> looks_;
  Fd held_;  // so that two nights never run on one place
};

// Progress is no result: stdout has the sentence of the night first.
void Night::tell(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

Result<> Night::hold_place() {
  const std::string nights = record_.output + "/nights";
  if (auto made = make_directories(nights); !made) return made;
  held_ = Fd(::open(nights.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!held_.valid()) return fail_errno("open " + nights, errno);
  if (::flock(held_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK)
    return fail(nights +
                ": another night goes on there (wait for its end, or give another output)");
  return fail_errno("lock " + nights, errno);
}

Result<> Night::prepare() {
  if (!plan_.known.empty() && ::access(plan_.known.c_str(), R_OK) != 0)
    return fail_errno("known " + plan_.known, errno, "mend known in [nightly]");
  record_.output = plan_.output.empty() ? state_directory() : plan_.output;
  const auto under_test = [this](const MountEntry& mount) {
    for (const TargetLook& look : looks_)
      if (mount.device_major == look.device_major && mount.device_minor == look.device_minor)
        return true;
    return false;
  };
  manager_.ready("looking at the targets");
  look_at_targets();
  if (auto elsewhere = refuse_place_on_target(record_.output, under_test); !elsewhere)
    return elsewhere;
  if (auto held = hold_place(); !held) return held;
  manager_.status("cleaning up after earlier runs");
  record_.id = new_night_id();
  // One that was over within this second has its folder.
  while (::access(folder().c_str(), F_OK) == 0) {
    if (!steps_.wait(kSecond)) return fail("run: interrupted before the night", Origin::infra);
    record_.id = new_night_id();
  }
  record_.file = options_.file;
  record_.labels = plan_.labels;
  record_.started = format_rfc3339(realtime_now());
  // What is started tells us, and we tell the service manager.
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  ::setenv("STALLPROOF_STATE_DIR", record_.output.c_str(), 1);
  // First, for there must be room for what comes.
  const NightKept kept = keep();
  for (const std::string& run : kept.removed) record_.cleaned.push_back("removed " + run);
  if (auto made = make_directories(folder()); !made) return made;
  if (auto saved = write_file_atomically(folder() + "/plan.toml", plan_toml(plan_.plan)); !saved)
    return saved;
  return {};
}

// One that is missing holds up no other.
void Night::look_at_targets() {
  for (const std::string& target : plan_.targets) {
    steps_.alive();
    NightTarget entry{.target = target};
    if (auto look = look_at_target(target); look) {
      looks_.push_back(std::move(*look));
    } else {
      entry.problem = look.error().what;
      entry.problem_code = look.error().origin == Origin::user ? 2 : 3;
    }
    record_.targets.push_back(std::move(entry));
  }
  if (plan_.targets.empty()) record_.targets.emplace_back();
}

void Night::clean_up() {
  for (std::string& line : undo_leftovers(runtime_directory()))
    record_.cleaned.push_back(std::move(line));
  close_dead_runs();
  for (const TargetLook& look : looks_) {
    steps_.alive();
    const DeadScratches dead = remove_dead_scratches(look, record_.output + "/runs");
    for (const std::string& path : dead.removed)
      record_.cleaned.push_back(fmt::format("removed {} of an earlier run", path));
    for (const std::string& line : dead.left) record_.unclean.push_back(line);
  }
  for (const std::string& line : record_.cleaned) say(line);
}

void Night::close_dead_runs() {
  std::string text;
  const auto end = steps_.run_for_text({"postmortem"}, kPostmortemWithin, text);
  if (!end || !end->problem.empty())
    record_.problems.push_back("postmortem: " + (end ? end->problem : end.error().what));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    if (text.compare(at, 4, "run ") == 0)
      record_.cleaned.push_back("closed by postmortem: " + text.substr(at + 4, line_end - at - 4));
    at = line_end + 1;
  }
}

PreflightNeeds Night::needs() const {
  const std::uint64_t hours = plan_.duration / (3600 * kSecond) + 1;
  PreflightNeeds all{.blocked_for = plan_.blocked_for, .rooms = {}};
  all.rooms.push_back({.path = record_.output,
                       .bytes = kEvidenceBytes + hours * kBytesAnHour * record_.targets.size(),
                       .what_for = "the results of the night"});
  for (const TargetLook& look : looks_)
    all.rooms.push_back({.path = look.path,
                         .bytes = planned_file_bytes(plan_.plan),
                         .what_for = "the files of the loads"});
  return all;
}

bool Night::node_is_clean() {
  manager_.status("looking whether the node is clean");
  const auto found = look_at_node(needs(), places_of_this_machine(),
                                  [this](Nanos span) { return steps_.wait(span); });
  record_.unclean.insert(record_.unclean.end(), found.begin(), found.end());
  record_.accepted = options_.accept_unclean && !record_.unclean.empty();
  for (const std::string& line : record_.unclean) say("not clean: " + line);
  return record_.unclean.empty() || record_.accepted;
}

std::vector<NightTarget> Night::targets_to_run() {
  std::vector<NightTarget> all;
  all.swap(record_.targets);
  return all;
}

void Night::run_on(NightTarget target) {
  if (steps_.interrupted() && target.problem.empty()) {
    target.problem = "not run: the night was interrupted";
    target.problem_code = 3;
  }
  if (target.problem.empty()) start_on(target);
  record_.targets.push_back(std::move(target));
}

void Night::start_on(NightTarget& target) {
  const CommandWords words = run_words(plan_, target.target, folder() + "/plan.toml", record_.id);
  target.command = shell_line(words);
  manager_.status(target.command.substr(0, kMostOfStatus));
  say(target.command);
  const std::size_t runs_before = record_.runs.size();
  const auto ended = steps_.run(words, run_limit(plan_));
  find_runs();
  target.problem_code = 3;
  if (!ended) {
    target.problem = ended.error().what;
    return;
  }
  target.exit_code = ended->exit_code;
  target.problem = ended->problem;
  if (!target.problem.empty() || record_.runs.size() > runs_before) return;
  // Without a verdict nobody else says why.
  target.problem =
      "no verdict: " +
      (ended->last_line.empty() ? fmt::format("exit {}", ended->exit_code) : ended->last_line);
  if (ended->exit_code == 2) target.problem_code = 2;
}

void Night::find_runs() {
  record_.runs.clear();
  for (const NightRun& run : find_night_runs(record_.output + "/runs", false))
    if (run.night == record_.id) record_.runs.push_back(run.kept.directory);
}

void Night::judge() {
  // One that was killed has its verdict by postmortem, and is judged with the others.
  close_dead_runs();
  find_runs();
  if (record_.runs.empty()) return;
  manager_.status("judging");
  std::string text;
  const auto end =
      steps_.run_for_text(gate_words(plan_, record_.runs, folder()), kGateWithin, text);
  if (!end) {
    record_.problems.push_back("gate: " + end.error().what);
    return;
  }
  record_.gate_code = end->exit_code;
  record_.gate_text = text;
  if (!end->problem.empty()) record_.problems.push_back("gate: " + end->problem);
  if (text.empty()) record_.problems.push_back("gate: " + end->last_line);
}

Result<int> Night::end() {
  record_.interrupted = steps_.interrupted();
  record_.ended = format_rfc3339(realtime_now());
  const auto save = [this](const char* name, const std::string& text) {
    if (auto saved = write_file_atomically(folder() + "/" + name, text); !saved)
      record_.problems.push_back(saved.error().what);
  };
  save("night.txt", night_text(record_));
  save("night.json", night_json(record_));
  const std::string sentence = night_sentence(record_);
  manager_.status(sentence);
  manager_.stopping();
  console_.result(sentence);
  console_.block(night_text(record_).substr(sentence.size() + 1));
  console_.document(night_json(record_));
  return night_exit_code(record_);
}

}  // namespace

Result<int> run_night(const NightOptions& options, Console& console) {
  return Night(options, console).run();
}

namespace {

// A word may hold a line end.
std::string as_comment(const std::string& lines) {
  std::string text = "# ";
  for (const char each : lines) {
    text += each;
    if (each == '\n') text += "# ";
  }
  return text + "\n";
}

}  // namespace

std::string night_preview(const NightPlan& plan) {
  std::string text;
  const std::string state = plan.output.empty() ? state_directory() : plan.output;
  const std::string folder = state + "/nights/ID";
  std::vector<std::string> targets = plan.targets;
  if (targets.empty()) targets.emplace_back();
  for (const std::string& target : targets)
    text += as_comment(shell_line(run_words(plan, target, folder + "/plan.toml", "ID")));
  text += as_comment(shell_line(gate_words(plan, {state + "/runs/RUN"}, folder)));
  if (plan.plan.processes.empty()) return text;
  return text + "\n# " + folder + "/plan.toml\n" + plan_toml(plan.plan);
}

}  // namespace stallproof
