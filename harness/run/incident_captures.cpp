// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_captures.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/capture/crash_means.h"
#include "harness/capture/sysrq_report.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/run_manifest.h"

namespace stallproof {
namespace {

constexpr Nanos kForOne = kSecond;
constexpr Nanos kForSysrq = 8 * kSecond;
// The explanation first: it needs the locks as they are, and is there within milliseconds.
constexpr Nanos kExplanationFirst = 300 * kMillisecond;
// A vmcore is taken without an explanation too.
constexpr Nanos kExplainedByThen = 2 * kSecond;
// Most steps end at once: no need to come back for each of them.
constexpr Nanos kPatience = 20 * kMillisecond;
constexpr Nanos kAtTheEnd = kSecond;
// A run with many stalls shall not drown the kernel log.
constexpr unsigned kMostSysrq = 10;
constexpr std::size_t kMostProblems = 200;
constexpr const char* kSysrqFile = "sysrq.txt";
constexpr const char* kDropped = "the run ended before it was asked for";
constexpr int kNotice = 5;
// The kernel log is a ring: what was written once is gone by the time a long run crashes.
constexpr Nanos kMarkAgainAfter = 600 * kSecond;

std::string incident_id(std::uint32_t number) { return fmt::format("{:03}", number); }

std::string problem_words(int error, bool sysrq) {
  if (sysrq) return sysrq_problem(error);
  if (error == ETIMEDOUT) return "did not answer in time; what came is kept";
  return error == 0 ? "" : std::strerror(error);
}

// What --on-stall sysrq will not give here; empty when all is there.
std::string sysrq_lack() {
  if (::access(kSysrqTrigger, F_OK) != 0) return sysrq_problem(ENOTSUP);
  return ::geteuid() == 0 ? "" : sysrq_problem(EACCES);
}

}  // namespace

Result<IncidentCaptures> IncidentCaptures::create(const StallPolicy& policy, RunDir& run,
                                                  Console& console, const RunFeed* feed) {
  IncidentCaptures captures(policy, console, feed);
  captures.entry_.policy = policy_name(policy.on_stall);
  const ManifestFacts facts = manifest_of(run, policy.on_stall, RunStage::running);
  run.save("manifest.json", manifest_json(facts));
  captures.mark_ = manifest_line(facts);
  const auto marked = captures.mark_log(monotonic_now());
  if (policy.on_stall == OnStall::report) return captures;
  if (const std::string lack = sysrq_lack(); !lack.empty()) {
    console.problem(fmt::format("--on-stall {}: {}: incidents will have no {}",
                                policy_name(policy.on_stall), lack, kSysrqFile));
    return captures;
  }
  auto journal = UndoJournal::create(run.id() + "-capture", runtime_directory());
  if (!journal) return Failure(journal.error());
  captures.journal_ = std::make_unique<UndoJournal>(std::move(*journal));
  if (policy.on_stall != OnStall::panic) return captures;
  if (!marked) return Failure(marked.error());
  console.problem(
      fmt::format("--on-stall panic: the first failing stall crashes this machine into kdump{}",
                  look_at_crash_means(run.path()).dump_free
                      ? ""
                      : " (where it writes is not known here: the room there was not checked)"));
  return captures;
}

IncidentCaptures IncidentCaptures::of_canary(Console& console) {
  return IncidentCaptures({}, console, nullptr);
}

IncidentCaptures::~IncidentCaptures() {
  if (!journal_) return;
  if (running_)
    for (const ChangedSetting& setting : running_->settings) {
      running_->text.give_up();
      [[maybe_unused]] const auto back = put_back(setting);
    }
  [[maybe_unused]] const auto finished = journal_->finish();
}

void IncidentCaptures::begin(const IncidentRecord& incident) {
  for (SourceStep& source : moment_steps())
    queue_.push_back({.incident = incident.number,
                      .folder = incident.folder,
                      .detected_ns = incident.detected_ns,
                      .source = std::move(source),
                      .sysrq = false});
  if (policy_.on_stall == OnStall::report) return;
  if (sysrq_asked_ == kMostSysrq)
    note_problem(fmt::format("incident {} and later: {}: {} incidents of this run have one",
                             incident.id(), kSysrqFile, kMostSysrq));
  if (++sysrq_asked_ > kMostSysrq) return;
  queue_.push_back({.incident = incident.number,
                    .folder = incident.folder,
                    .detected_ns = incident.detected_ns,
                    .source = {.file = kSysrqFile, .work = {}},
                    .sysrq = true});
}

Result<> IncidentCaptures::mark_log(Nanos now) {
  next_mark_ns_ = now + kMarkAgainAfter;
  return mark_kernel_log(kNotice, mark_);
}

void IncidentCaptures::serve(const Moment& moment) {
  // Where it cannot be written (not root, a container) a crash is tied to the run by its time.
  if (const Nanos now = monotonic_now(); !mark_.empty() && now >= next_mark_ns_) [[maybe_unused]]
    const auto marked = mark_log(now);
  if (running_ && running_->text.over()) end_running(moment.run);
  moment.book.decide_evidence(monotonic_now(), moment.failing);
  while (!running_ && !queue_.empty()) {
    const Step& next = queue_.front();
    const IncidentRecord* const incident = moment.book.find(next.incident);
    if (incident == nullptr || incident->kept == Kept::counted) {
      queue_.pop_front();  // the run has enough like it
      continue;
    }
    if (!may_begin(next, incident)) break;
    if (next.sysrq && incident->resolved_ns) {
      const Step dropped = next;
      queue_.pop_front();
      keep(moment.run,
           {.file = kSysrqFile, .text = {}, .problem = "it resolved before the kernel was asked"},
           dropped);
      continue;
    }
    start_next(moment.run);
    if (!running_) continue;
    running_->text.wait(Deadline::in(running_->step.sysrq ? 0 : kPatience));
    if (running_->text.over()) end_running(moment.run);
  }
  decide(moment);
}

bool IncidentCaptures::may_begin(const Step& step, const IncidentRecord* incident) {
  if (incident->kept == Kept::undecided && !incident->resolved_ns) return false;
  return incident->explained_ns != 0 || monotonic_now() >= step.detected_ns + kExplanationFirst;
}

void IncidentCaptures::start_next(RunDir& run) {
  Step step = std::move(queue_.front());
  queue_.pop_front();
  std::vector<ChangedSetting> settings;
  if (step.sysrq) {
    if (journal_) settings = settings_for_sysrq();
    for (const ChangedSetting& setting : settings) journal_->note_setting(setting);
    step.source.work = [settings](int into) { return say_sysrq(into, settings); };
  }
  const Nanos now = monotonic_now();
  auto text =
      BackgroundText::start(step.source.work, Deadline(now + (step.sysrq ? kForSysrq : kForOne)));
  if (!text)
    return keep(run, {.file = step.source.file, .text = {}, .problem = text.error().what}, step);
  running_.emplace(Running{.step = std::move(step),
                           .text = std::move(*text),
                           .began_ns = now,
                           .settings = std::move(settings)});
}

void IncidentCaptures::end_running(RunDir& run) {
  BoundedText said = running_->text.take();
  // It has put them back itself, unless it was killed.
  for (const ChangedSetting& setting : running_->settings)
    if (auto back = put_back(setting); !back)
      not_put_back_.push_back(fmt::format("{} was {} and could not be set again: {}", setting.path,
                                          setting.before, back.error().what));
  const Step step = std::move(running_->step);
  const double took = static_cast<double>(monotonic_now() - running_->began_ns) / 1e6;
  running_.reset();
  keep(run,
       {.file = step.source.file,
        .text = std::move(said.text),
        .problem = problem_words(said.error, step.sysrq),
        .took_ms = took},
       step);
}

void IncidentCaptures::keep(RunDir& run, SourceResult result, const Step& step) {
  // Of what was dropped only the kernel's own words are missed.
  if (!result.problem.empty() && (step.sysrq || result.problem != kDropped))
    note_problem(fmt::format("incident {}: {}: {}", incident_id(step.incident), result.file,
                             result.problem));
  if (!result.text.empty()) {
    run.save(step.folder + result.file, result.text);
    ++entry_.taken;
  }
  if (step.sysrq) tell(incident_id(step.incident), "sysrq", result.problem.empty());
  results_.push_back(std::move(result));
  if (!queue_.empty() && queue_.front().incident == step.incident) return;
  run.save(step.folder + "sources.json", sources_json(results_));
  tell_sources(step);
  results_.clear();
}

void IncidentCaptures::decide(const Moment& moment) {
  const IncidentRecord* const incident = moment.book.standing();
  const Nanos now = monotonic_now();
  const bool taking = running_ || !queue_.empty();
  needed_ = taking && incident != nullptr;
  CrashFacts facts{.policy = policy_,
                   .standing = incident != nullptr,
                   .failing = moment.failing,
                   .marked = moment.marked,
                   .decided = decided_,
                   .means_lacking = {}};
  if (incident != nullptr)
    facts.evidence_due =
        taking || (incident->explained_ns == 0 && now < incident->detected_ns + kExplainedByThen);
  CrashDecision decision = decide_crash(facts);
  needed_ = needed_ || decision.step == CrashStep::wait;
  if (decision.step == CrashStep::crash) {
    facts.means_lacking = lacking_for_crash(look_at_crash_means(moment.run.path())).what;
    decision = decide_crash(facts);
  }
  if (decision.step != CrashStep::crash && decision.step != CrashStep::refuse) return;
  decided_ = true;
  tell(incident->id(), "panic", decision.step == CrashStep::crash);
  if (decision.step == CrashStep::crash)
    decision.reason = crash_on_stall({.run = moment.run,
                                      .book = moment.book,
                                      .incident = *incident,
                                      .started_ns = moment.started_ns});
  entry_.crash = fmt::format("not crashed: incident {}: {}", incident->id(), decision.reason);
  console_->problem(entry_.crash);
}

std::vector<std::string> IncidentCaptures::finish(RunDir& run) {
  if (running_) {
    running_->text.wait(Deadline::in(kAtTheEnd));
    running_->text.give_up();
    end_running(run);
  }
  while (!queue_.empty()) {
    const Step step = std::move(queue_.front());
    queue_.pop_front();
    keep(run, {.file = step.source.file, .text = {}, .problem = kDropped}, step);
  }
  needed_ = false;
  if (policy_.on_stall == OnStall::panic && entry_.crash.empty())
    entry_.crash = "not crashed: no failing stall";
  if (!mark_.empty())
    run.save("manifest.json", manifest_json(manifest_of(run, policy_.on_stall, RunStage::ended)));
  if (journal_)
    if (auto finished = journal_->finish(); !finished)
      not_put_back_.push_back(finished.error().what);
  journal_.reset();
  return not_put_back_;
}

void IncidentCaptures::tell_sources(const Step& last) const {
  bool taken = true;
  for (const SourceResult& each : results_) {
    if (each.problem == kDropped) return;  // the run has ended: nobody misses them
    taken = taken && (each.file == kSysrqFile || each.problem.empty());
  }
  tell(incident_id(last.incident), "sources", taken);
}

void IncidentCaptures::tell(const std::string& incident, const char* kind, bool taken) const {
  if (feed_ != nullptr)
    feed_->tell(&RunListener::on_capture,
                CaptureNews{.incident = incident, .kind = kind, .taken = taken});
}

void IncidentCaptures::note_problem(const std::string& what) {
  if (entry_.problems.size() >= kMostProblems) return;
  entry_.problems.push_back(what);
  console_->problem(what);
}

}  // namespace stallproof
