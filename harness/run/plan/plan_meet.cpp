// SPDX-License-Identifier: Apache-2.0
// Before the load of a run on several nodes at once: nobody starts before all are ready.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/run/observer_report.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/plan_run.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// Nothing that may write to a disk is done in the last moment before the start.
constexpr Nanos kLastMoment = 100 * kMillisecond;

void sleep_until(Nanos at) {
  const timespec then{static_cast<time_t>(at / kSecond), static_cast<long>(at % kSecond)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, nullptr) == EINTR) {
  }
}

}  // namespace

LoadPlan own_plan(const LoadPlan& plan, const std::optional<Coordination>& coordination,
                  const std::string& target) {
  if (!coordination) return plan;
  const NodePlace& place = coordination->place();
  return plan_of_node(plan, place.rank, place.count, coordination->shared_directory(target));
}

void PlanRun::save_environment() {
  session_.run_dir().save("env.json", environment_json(coordination_->json()));
}

bool PlanRun::meet() {
  if (!coordination_) return true;
  const bool agreed = agree();
  save_environment();
  if (!agreed) return false;
  wait_for_start();
  return !state_.interrupted;
}

bool PlanRun::agree() {
  coordination_->begin(monotonic_now());
  for (;;) {
    session_.serve();
    check_workers();
    if (state_.interrupted || watchdog_gone() || lab_.all_workers_gone()) return false;
    const auto state = coordination_->serve(monotonic_now());
    if (state != Coordination::State::waiting) {
      tell_agreement(state == Coordination::State::agreed);
      return state == Coordination::State::agreed;
    }
    console_.progress(fmt::format("{:6.1f} s  {}", state_.clock.ms(monotonic_now()) / 1e3,
                                  coordination_->words()),
                      "waiting for other nodes");
    session_.wait(coordination_->next_due_ns(), descriptors());
  }
}

void PlanRun::tell_agreement(bool agreed) {
  const NodePlace& place = coordination_->place();
  if (!agreed) {
    state_.lost.push_back(fmt::format("node {} of {} did not start: {}", place.rank, place.count,
                                      coordination_->words()));
    session_.log_event(Json{{"event", "no_common_start"}, {"why", coordination_->words()}}.dump());
    return console_.problem(state_.lost.back());
  }
  const double start_ms = state_.clock.ms(coordination_->start_ns());
  session_.log_event(Json{{"event", "common_start"}, {"at_ms", start_ms}}.dump());
  console_.step(monotonic_now() - state_.clock.monotonic_ns,
                fmt::format("node {} of {}: all are there, the load starts at +{:.3f} s",
                            place.rank, place.count, start_ms / 1e3));
}

void PlanRun::wait_for_start() {
  for (;;) {
    const Nanos start = coordination_->start_ns();
    const Nanos now = monotonic_now();
    if (now + kLastMoment >= start) break;
    session_.serve();
    if (state_.interrupted) return;
    coordination_->serve(now);
    session_.wait(std::min(coordination_->next_due_ns(), start - kLastMoment), descriptors());
  }
  // The wall clock may still be slewed: by 50 µs at most (adjtimex(2): 500 ppm).
  sleep_until(coordination_->start_ns());
}

}  // namespace stallproof
