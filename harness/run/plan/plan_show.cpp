// SPDX-License-Identifier: Apache-2.0
// What a run of a plan tells a person.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/units.h"
#include "harness/explain/render.h"
#include "harness/run/plan/plan_run.h"

namespace stallproof {
namespace {

// "8 x direct-io, 4 x maps (mapped-fault)".
std::string loads_text(const PlanProcess& process) {
  std::vector<std::string> words;
  for (const PlanLoad& load : process.loads)
    words.push_back(fmt::format(
        "{} x {}{}", load.threads, load.name,
        load.name == load.workload ? std::string() : fmt::format(" ({})", load.workload)));
  return fmt::format("{}", fmt::join(words, ", "));
}

const PlanPhase* phase_at(const LoadPlan& plan, Nanos at) {
  Nanos round = 0;
  for (const PlanPhase& phase : plan.phases) round += phase.duration;
  if (round == 0) return nullptr;
  at %= round;
  for (const PlanPhase& phase : plan.phases) {
    if (at < phase.duration) return &phase;
    at -= phase.duration;
  }
  return nullptr;
}

}  // namespace

void PlanRun::announce() {
  const Nanos at = monotonic_now() - state_.clock.monotonic_ns;
  std::string where;
  if (!target_.path.empty())
    where = fmt::format(" on {} ({})", target_.path,
                        target_.fstype.empty() ? "unknown file system" : target_.fstype);
  for (const PlanProcess& process : plan_.processes)
    console_.step(at, fmt::format("process {}{}: {}", process.name, where, loads_text(process)));
  const char* const problem = lab_.watchdog().evidence().area().scan_problem.data();
  if (problem[0] != '\0')
    console_.step(
        at, fmt::format("cannot look into the kernel's locks: {}; falling back to /proc", problem));
}

void PlanRun::show_progress(Nanos now) {
  const Nanos at = now - state_.load_ns;
  std::string text = fmt::format("{:6.1f} s", static_cast<double>(at) / 1e9);
  if (!options_.endless)
    text += fmt::format(" of {:.0f} s", static_cast<double>(plan_.duration) / 1e9);
  const PlanPhase* const phase = phase_at(plan_, at);
  if (phase != nullptr) text += fmt::format("  {}", phase->name);
  const auto names = lab_.load_names();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (seconds_.on_at(i, now))
      text += fmt::format("  {} {:.0f}/s", names[i], seconds_.last_rate(i));
  if (session_.book().standing() != nullptr) text += "  STALL";
  console_.progress(text, phase == nullptr ? "" : phase->name);
}

// A full disk of the results ends no load, but its owner may free some space.
void PlanRun::tell_unsaved() {
  const std::string& problem = session_.run_dir().first_problem();
  if (told_unsaved_ || problem.empty()) return;
  told_unsaved_ = true;
  console_.problem(problem + "; the load goes on, the verdict will be unknown");
}

void PlanRun::tell_stall(const IncidentRecord& incident) {
  std::string loads;
  const auto names = lab_.load_names();
  for (std::size_t i = 0; i < names.size(); ++i)
    if ((incident.stalled >> i & 1U) != 0) loads += (loads.empty() ? "" : ", ") + names[i];
  console_.step(
      incident.detected_ns - state_.clock.monotonic_ns,
      fmt::format("STALL: {} completed nothing for {} (last completion at +{:.3f} s)",
                  loads.empty() ? "a load" : loads,
                  format_duration(incident.detected_ns - incident.onset_ns),
                  static_cast<double>(incident.onset_ns - state_.clock.monotonic_ns) / 1e9));
}

void PlanRun::tell_explanation(const IncidentRecord& incident) {
  console_.step(incident.explained_ns - state_.clock.monotonic_ns,
                fmt::format("explained {} after detection; evidence in {}",
                            format_duration(incident.explained_ns - incident.detected_ns),
                            session_.run_dir().file("incidents/" + incident.id())));
  console_.block(fmt::format("\n{}\n", render_text(*incident.explanation)));
}

void PlanRun::tell_resolved(Nanos at) {
  console_.step(at - state_.clock.monotonic_ns, "resolved: the load goes on");
}

}  // namespace stallproof
