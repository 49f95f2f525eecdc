// SPDX-License-Identifier: Apache-2.0
#include "harness/run/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/detect/no_progress.h"
#include "harness/run/repro_outcome.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// From the injection to the order to heal; with the healing it lives for less than 5 s.
constexpr Nanos kLivesFor = 4 * kSecond;
// After it is healed, for the watchdog to see it.
constexpr Nanos kSeenToEnd = 1500 * kMillisecond;

bool is_promised(const LabPlan& plan, const Explanation& explanation) {
  return as_promised({.stall_class = explanation.stall_class,
                      .signature = explanation.signature,
                      .expected_class = plan.expected_class,
                      .expected_signatures = plan.expected_signatures});
}

std::optional<double> ms_of(const RunClock& clock, Nanos at) {
  return at == 0 ? std::nullopt : std::optional(clock.ms(at));
}

}  // namespace

Result<std::unique_ptr<Canary>> Canary::start(const Setup& setup) {
  auto board = Board::attach(setup.board.fd(), true);
  if (!board) return Failure(board.error());
  board->clear();
  const std::string id = setup.host.run_dir().id() + "-canary-" + setup.name;
  auto lab = Lab::start_under(setup.watchdog, std::move(*board), setup.plan.lab, id);
  if (!lab) return Failure(lab.error());
  return std::make_unique<Canary>(setup, std::move(*lab),
                                  IncidentCaptures::of_canary(setup.console));
}

Canary::Canary(const Setup& setup, Lab lab, IncidentCaptures captures)
    : in_(setup),
      lab_(std::move(lab)),
      lane_{.book = IncidentBook(
                {.lens = in_.host.lens(),
                 .run = in_.host.run_dir(),
                 .evidence = in_.watchdog.evidence(),
                 .load_names = [this] { return in_.host.names_with(lab_.load_names()); },
                 .conclusive =
                     [this](const Explanation& each) { return is_promised(in_.plan.lab, each); },
                 .clock = &in_.host.clock(),
                 .under = "canary/" + in_.name + "/",
                 .event_prefix = "canary_"}),
            .captures = std::move(captures),
            .teller = *this,
            .processes = [this] { return processes(); },
            .fail_after = [](const IncidentRecord&) { return ~Nanos{0}; }},
      warm_at_ns_(monotonic_now() + in_.plan.lab.warmup) {
  lane_.book.begin(in_.host.clock().monotonic_ns);
  in_.host.set_canary(&lane_);
  for (const auto& [role, child] : lab_.children())
    if (child != &lab_.watchdog())
      in_.host.log_event(
          Json{{"event", "child"}, {"role", fmt::format("canary {}", role)}, {"pid", child->pid()}}
              .dump());
  lab_.run_load();
  log("begin", monotonic_now());
}

Canary::~Canary() {
  in_.host.set_canary(nullptr);
  if (!ended_) lab_.end(true);
}

std::vector<pid_t> Canary::processes() const {
  std::vector<pid_t> pids;
  for (const Child* const child : {&lab_.ffs(), &lab_.injector(), &lab_.worker()})
    if (child->pid() > 0) pids.push_back(child->pid());
  return pids;
}

bool Canary::follow(Nanos now) {
  if (cut_short_.empty() && step_ < Step::healed) cut_short_ = child_lost();
  switch (step_) {
    case Step::warming:
      if (!cut_short_.empty()) {
        heal(now);
        conclude();
      } else if (now >= warm_at_ns_) {
        inject(now);
      }
      break;
    case Step::injected:
      lab_.follow(now);
      if (seen() || !cut_short_.empty() || now >= injected_ns_ + kLivesFor) heal(now);
      break;
    case Step::healed: {
      const bool resolved = lane_.book.incidents().empty() || lane_.book.standing() == nullptr;
      if (resolved || now >= healed_ns_ + kSeenToEnd) conclude();
      break;
    }
    case Step::over:
      break;
  }
  return step_ == Step::over;
}

void Canary::inject(Nanos now) {
  injected_ns_ = lab_.arm();
  step_ = Step::injected;
  log("injected", now);
}

// Found, explained as it must be, and captured.
bool Canary::seen() const {
  const auto& incidents = lane_.book.incidents();
  return !incidents.empty() && incidents.front().explanation &&
         is_promised(in_.plan.lab, *incidents.front().explanation) &&
         !lane_.captures.needs_the_stall();
}

// By what the loads themselves say on the board, whatever the watchdog made of it.
bool Canary::stands(Nanos now) const {
  SystemView view;
  view.now_ns = now;
  read_board(lab_.board(), view);
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight > 0 && now >= NoProgress::onset_of(load) + in_.stall_after) return true;
  }
  return false;
}

void Canary::heal(Nanos now) {
  made_ = stands(now) || !lane_.book.incidents().empty();
  const Lab::Ending ending = lab_.end(made_);
  ended_ = true;
  left_behind_ = ending.left_behind;
  // A process that had to be killed has nothing in flight any more.
  for (BoardSlot& slot : lab_.board().slots()) slot.left.store(1, std::memory_order_release);
  healed_ns_ = monotonic_now();
  step_ = Step::healed;
  log("healed", healed_ns_);
}

void Canary::conclude() {
  step_ = Step::over;
  for (const std::string& thing : lane_.captures.finish(in_.host.run_dir()))
    left_behind_.push_back(thing);
  lane_.book.save_all(in_.host.clock().monotonic_ns);
  in_.host.set_canary(nullptr);
}

std::string Canary::child_lost() {
  for (const auto& [role, child] : lab_.children()) {
    if (child == &lab_.watchdog()) continue;
    if (const auto status = child->try_reap())
      return fmt::format("its {} process ended early: {}", role, describe_status(*status));
  }
  return lab_.injector_problem();
}

void Canary::log(const char* what, Nanos at) {
  in_.host.log_event(Json{{"event", fmt::format("canary_{}", what)},
                          {"when", in_.name},
                          {"at_ms", in_.host.clock().ms(at)}}
                         .dump());
}

// Empty when it proved what it is for.
std::string Canary::why_not() const {
  const std::string stall = "a stall made on purpose (" + in_.plan.scenario + ")";
  const auto& incidents = lane_.book.incidents();
  if (!cut_short_.empty()) return fmt::format("{} was given up: {}", stall, cut_short_);
  if (!made_) return stall + " did not come about";
  if (incidents.empty())
    return fmt::format("{} stood for {} and was not detected", stall,
                       format_duration(healed_ns_ - injected_ns_));
  const IncidentRecord& incident = incidents.front();
  if (!incident.explanation) return stall + " was detected and not explained";
  if (!is_promised(in_.plan.lab, *incident.explanation))
    return fmt::format("{} was explained as {} ({}), not as {}", stall,
                       incident.explanation->stall_class, incident.explanation->signature,
                       in_.plan.lab.expected_class);
  if (lane_.captures.entry().taken == 0) return stall + " was not captured";
  if (!incident.resolved_ns) return stall + " was healed, which was not seen";
  return {};
}

CanaryLookEntry Canary::entry(const RunClock& clock) const {
  CanaryLookEntry entry;
  entry.injected_ms = ms_of(clock, injected_ns_);
  entry.healed_ms = ms_of(clock, healed_ns_);
  entry.why = why_not();
  entry.passed = entry.why.empty();
  entry.captured = lane_.captures.entry().taken;
  if (lane_.book.incidents().empty()) return entry;
  const IncidentRecord& incident = lane_.book.incidents().front();
  entry.detected_ms = ms_of(clock, incident.detected_ns);
  entry.explained_ms = ms_of(clock, incident.explained_ns);
  if (incident.resolved_ns) entry.resolved_ms = clock.ms(*incident.resolved_ns);
  entry.evidence = incident.folder;
  if (!incident.explanation) return entry;
  entry.stall_class = incident.explanation->stall_class;
  entry.signature = incident.explanation->signature;
  return entry;
}

}  // namespace stallproof
