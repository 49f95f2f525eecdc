// SPDX-License-Identifier: Apache-2.0
// One node's side of a coordinated run: it meets the others, knows when to start, and says in
// env.json how it went. Controller, main thread. The directory where they meet may hang: it is
// touched by children with a deadline.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "harness/run/coordinate/meeting.h"
#include "harness/run/coordinate/node_place.h"
#include "harness/run/plan/plan.h"
#include "harness/run/scratch_directory.h"

namespace stallproof {

// Of one run in a directory that nodes share; and the name of that which lies on the target.
std::string mark_of(unsigned rank, std::string run);
std::string shared_directory_name(const std::string& job);

class Coordination {
 public:
  struct Setup {
    PlanCoordinate table;
    NodePlace place;
    std::string run;   // its id
    std::string plan;  // as it is saved: the same on all nodes
  };
  // Looks at the place. An Error when it is no directory, or does not answer.
  static Result<Coordination> create(Setup setup);

  // Where they meet, and where the files lie that they share: each is left by the last node.
  [[nodiscard]] const ScratchDirectory& meeting_place() const { return meeting_place_; }
  [[nodiscard]] std::string shared_directory(const std::string& target) const;
  [[nodiscard]] std::string mark() const { return mark_of(self_.rank, self_.run); }
  [[nodiscard]] const NodePlace& place() const { return setup_.place; }

  // From when on the others are waited for.
  void begin(Nanos now);
  enum class State { waiting, agreed, failed };
  // One exchange of cards when it is due, `now` being monotonic. Blocks for a second at most.
  State serve(Nanos now);
  [[nodiscard]] Nanos next_due_ns() const { return next_ns_; }
  // Why it failed; before that, whom it waits for.
  [[nodiscard]] const std::string& words() const { return words_; }
  // On the monotonic clock, as the wall clock goes now.
  [[nodiscard]] Nanos start_ns() const;

  // The load has started, by the wall clock.
  void started(Nanos realtime) { started_ = realtime; }
  // The object `coordination` of env.json, README.md.
  [[nodiscard]] std::string json() const;

 private:
  Coordination(Setup setup, ScratchDirectory meeting_place, NodeIdentity self);
  State serve_host();
  State serve_guest();
  State fail_with(std::string why);
  State unanswered(std::string why);
  State settle(const StartCard& card);

  Setup setup_;
  ScratchDirectory meeting_place_;
  NodeIdentity self_;
  std::variant<MeetingHost, MeetingGuest> side_;
  State state_ = State::waiting;
  std::string words_, against_;
  Nanos give_up_ns_ = 0, next_ns_ = 0, news_ns_ = 0;
  std::size_t heard_of_ = 0;
  unsigned unanswered_ = 0;
  Nanos start_ = 0, started_ = 0;  // CLOCK_REALTIME; 0: not yet
  Nanos latest_ns_ = 0;            // on the monotonic clock: then it has come, whatever start_ says
};

// 16 hexadecimal digits; another plan, another id. Pure.
std::string plan_id(const std::string& plan);

// What the kernel says of this machine's clock (adjtimex(2)): whether something keeps it right, and
// how wrong it may be at most.
struct ClockState {
  bool synchronised = false;
  double max_error_ms = 0;
};
ClockState clock_state();

}  // namespace stallproof
