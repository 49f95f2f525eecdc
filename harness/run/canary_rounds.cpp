// SPDX-License-Identifier: Apache-2.0
#include "harness/run/canary_rounds.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/units.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// One that does not come about says nothing of the watchdog: it is tried once more.
constexpr int kTries = 2;
constexpr Nanos kLoopStep = 100 * kMillisecond;

std::string span(double from_ms, double to_ms) {
  return format_duration(static_cast<Nanos>((to_ms - from_ms) * 1e6));
}

}  // namespace

Result<CanaryChoice> choose_canary(std::size_t loads, CanaryWish wish) {
  CanaryChoice choice;
  auto made = plan_canary();
  if (made && loads + made->lab.loads.size() > kMaxLoads)
    made =
        fail(fmt::format("{} loads leave no room for the {} of a stall made on purpose (at most "
                         "{} together)",
                         loads, made->lab.loads.size(), kMaxLoads));
  if (made)
    choice.plan = std::move(*made);
  else if (wish == CanaryWish::yes)
    return fail("--canary yes: " + made.error().what);
  else
    choice.refused = made.error().what;
  return choice;
}

std::vector<std::string> why_unproven(const CanaryEntry& canary) {
  std::vector<std::string> why;
  for (const auto& [when, look] : canary.looks)
    if (!look.passed) why.push_back(fmt::format("{} the load {}", when, look.why));
  if (why.empty() && !canary.passed)
    why.push_back(
        fmt::format("a stall made on purpose was {} (--canary no goes without)", canary.problem));
  return why;
}

Result<Board> board_of(const CanaryPlan& canary) {
  std::vector<Board::LoadSpec> loads;
  for (const LabPlan::Load& load : canary.lab.loads) loads.push_back({load.name, load.threads});
  return Board::create(loads, canary.lab.seed);
}

// Empty when it may be made.
std::string CanaryRounds::not_now(std::string_view when) const {
  if (in_.host.interrupted()) return "interrupted";
  if (watchdog_gone()) return "the watchdog has ended";
  if (in_.host.stall_stands()) return "a stall stands";
  if (const std::string why = in_.forbidden(when); !why.empty()) return why;
  return place_lost_ ? "what an earlier one left could not be ended" : "";
}

void CanaryRounds::begin(const std::string& when) {
  if (!in_.choice.plan) return;
  when_ = when;
  CanaryLookEntry& look = looks_[when];
  look = {};
  look.why = not_now(when);
  if (!look.why.empty()) {
    look.why = "no stall was made on purpose: " + look.why;
    return;
  }
  auto canary = Canary::start({.name = when,
                               .plan = *in_.choice.plan,
                               .host = in_.host,
                               .watchdog = in_.watchdog,
                               .board = *in_.board,
                               .stall_after = canary_thresholds(in_.thresholds).stall_after,
                               .console = in_.console});
  if (canary)
    canary_ = std::move(*canary);
  else
    look.why = "no stall could be made on purpose: " + canary.error().what;
}

bool CanaryRounds::over() {
  if (!canary_) return true;
  if (in_.host.interrupted()) canary_->cut_short("interrupted");
  if (watchdog_gone()) canary_->cut_short("the watchdog ended");
  if (!canary_->follow(monotonic_now())) return false;
  take();
  return true;
}

void CanaryRounds::take() {
  const auto at_ns = [this](double ms) {
    return in_.host.clock().monotonic_ns + static_cast<Nanos>(ms * 1e6);
  };
  const CanaryLookEntry look = canary_->entry(in_.host.clock());
  looks_[when_] = look;
  for (const std::string& thing : canary_->left_behind()) in_.host.note_left_behind(thing);
  if (look.injected_ms && look.healed_ms)
    in_.host.note_window(at_ns(*look.injected_ms), at_ns(*look.healed_ms), "canary",
                         in_.choice.plan->scenario + " made on purpose");
  place_lost_ = !canary_->left_behind().empty();
  canary_.reset();
  in_.host.log_event(Json{
      {"event", "canary"},
      {"when", when_},
      {"passed", look.passed},
      {"why", look.why}}.dump());
  if (!look.passed) return in_.console.problem(fmt::format("{} the load {}", when_, look.why));
  in_.tell_passed(
      fmt::format("a stall made on purpose ({}) {} the load: detected after {}, "
                  "explained {} later, healed",
                  in_.choice.plan->scenario, when_, span(*look.injected_ms, *look.detected_ms),
                  span(*look.detected_ms, *look.explained_ms)));
}

void CanaryRounds::serve_until_over() {
  while (!over()) {
    in_.host.serve();
    in_.console.progress(fmt::format("{:6.1f} s  a stall made on purpose {} the load",
                                     in_.host.clock().ms(monotonic_now()) / 1e3, when_));
    in_.host.wait_until(monotonic_now() + kLoopStep);
  }
}

void CanaryRounds::run(const std::string& when) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (!canary_) begin(when);
    if (!canary_) return;
    serve_until_over();
    const CanaryLookEntry& look = looks_[when];
    if (look.passed || look.detected_ms || in_.host.interrupted() || place_lost_) return;
  }
}

std::vector<pid_t> CanaryRounds::processes() const {
  return canary_ ? canary_->processes() : std::vector<pid_t>();
}

void CanaryRounds::serve_beside() {
  if (over() && !looks_.contains("beside")) begin("beside");
}

void CanaryRounds::load_ended() {
  if (!canary_) return;
  canary_->cut_short("the load ended");
  serve_until_over();
}

std::optional<CanaryEntry> CanaryRounds::entry(const std::vector<std::string>& wanted) const {
  if (!in_.choice.refused.empty()) return CanaryEntry{.problem = "not made: " + in_.choice.refused};
  if (!in_.choice.plan) return std::nullopt;
  CanaryEntry entry{.fault = in_.choice.plan->scenario, .place = in_.choice.plan->place};
  entry.looks = looks_;
  entry.stall_after_ms = static_cast<double>(canary_thresholds(in_.thresholds).stall_after) / 1e6;
  for (const std::string& when : wanted)
    if (!entry.looks.contains(when))
      entry.looks[when].why = "no stall was made on purpose: the run had ended";
  entry.passed = !entry.looks.empty();
  for (const auto& [when, look] : entry.looks) {
    if (look.passed) continue;
    entry.passed = false;
    if (entry.problem.empty()) entry.problem = fmt::format("{} the load {}", when, look.why);
  }
  return entry;
}

}  // namespace stallproof
