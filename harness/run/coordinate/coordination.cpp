// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/coordination.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/timex.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/node_name.h"
#include "harness/base/units.h"
#include "harness/base/version.h"
#include "harness/run/coordinate/card_exchange.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/target_look.h"

namespace stallproof {
namespace {

constexpr Nanos kAnswerWithin = kSecond;
// Before the start nothing is done that may take as long as an answer.
constexpr Nanos kQuietBefore = 1200 * kMillisecond;
// A place that does not answer so many times in a row is given up.
constexpr unsigned kMostUnanswered = 30;
// Often while something moves, for the clocks' sake; seldom while others still prepare.
constexpr Nanos kOften = 50 * kMillisecond;
constexpr Nanos kSeldom = 250 * kMillisecond;
constexpr Nanos kMovesFor = 5 * kSecond;
constexpr std::size_t kNamed = 8;

constexpr const char* kStartCard = "start.json";

std::string card_of_rank(unsigned rank) { return fmt::format("node-{}.json", rank); }

double in_ms(std::int64_t span) { return std::round(static_cast<double>(span) / 1e3) / 1e3; }

std::variant<MeetingHost, MeetingGuest> side_of(const NodeIdentity& self) {
  if (self.rank == 0) return MeetingHost(self);
  return MeetingGuest(self);
}

std::string ranks_text(const std::vector<unsigned>& ranks, unsigned count) {
  const std::size_t named = std::min(ranks.size(), kNamed);
  const std::vector<unsigned> first(ranks.begin(), ranks.begin() + static_cast<long>(named));
  return fmt::format("node{} {}{} of {} (counted from 0)", ranks.size() == 1 ? "" : "s",
                     fmt::join(first, ", "), ranks.size() > named ? ", …" : "", count);
}

}  // namespace

std::string plan_id(const std::string& plan) {
  // FNV-1a, 64 bits: to tell plans apart, not to keep anybody from making two alike.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : plan) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

ClockState clock_state() {
  timex told{};
  const int state = ::adjtimex(&told);
  return {.synchronised = state >= 0 && state != TIME_ERROR && (told.status & STA_UNSYNC) == 0,
          .max_error_ms = static_cast<double>(told.maxerror) / 1e3};
}

Coordination::Coordination(Setup setup, ScratchDirectory meeting_place, NodeIdentity self)
    : setup_(std::move(setup)),
      meeting_place_(std::move(meeting_place)),
      self_(std::move(self)),
      side_(side_of(self_)) {}

Result<Coordination> Coordination::create(Setup setup) {
  const auto place = look_at_target(setup.place.meet);
  if (!place) return fail("[coordinate]: meet: " + place.error().what, place.error().origin);
  NodeIdentity self{.rank = setup.place.rank,
                    .count = setup.place.count,
                    .node = node_name(),
                    .run = setup.run,
                    .plan_id = plan_id(setup.plan),
                    .tool_version = std::string(tool_version())};
  ScratchDirectory meeting{
      .path = (place->path == "/" ? "" : place->path) + "/" + kScratchPrefix + setup.place.job,
      .device_major = place->device_major,
      .device_minor = place->device_minor,
      .mark = {}};
  Coordination made(std::move(setup), std::move(meeting), std::move(self));
  made.meeting_place_.mark = made.mark();
  return made;
}

std::string mark_of(unsigned rank, std::string run) {
  std::replace_if(
      run.begin(), run.end(), [](unsigned char c) { return std::isgraph(c) == 0 || c == '/'; },
      '-');
  return fmt::format("{}-{}", rank, run);
}

std::string shared_directory_name(const std::string& job) {
  return kScratchPrefix + ("shared-" + job);
}

std::string Coordination::shared_directory(const std::string& target) const {
  return (target == "/" ? "" : target) + "/" + shared_directory_name(setup_.place.job);
}

void Coordination::begin(Nanos now) {
  give_up_ns_ = now + setup_.table.wait;
  news_ns_ = next_ns_ = now;
}

Coordination::State Coordination::fail_with(std::string why) {
  words_ = std::move(why);
  return state_ = State::failed;
}

Coordination::State Coordination::unanswered(std::string why) {
  if (state_ == State::agreed) return state_;
  words_ = std::move(why);
  return ++unanswered_ < kMostUnanswered ? State::waiting : fail_with(words_);
}

Coordination::State Coordination::serve(Nanos now) {
  if (state_ == State::failed || now < next_ns_) return state_;
  // Once the start is agreed on, it is only for the clocks.
  if (state_ == State::agreed && realtime_now() + kQuietBefore > start_) {
    next_ns_ = now + kSeldom;
    return state_;
  }
  state_ = self_.rank == 0 ? serve_host() : serve_guest();
  if (state_ == State::waiting && now >= give_up_ns_)
    return fail_with(fmt::format("{} after {}", words_, format_duration(setup_.table.wait)));
  next_ns_ = now + (unanswered_ > 0              ? kAnswerWithin
                    : now < news_ns_ + kMovesFor ? kOften
                                                 : kSeldom);
  return state_;
}

Coordination::State Coordination::serve_host() {
  auto& host = std::get<MeetingHost>(side_);
  std::vector<std::string> others;
  for (unsigned rank = 1; rank < self_.count; ++rank) others.push_back(card_of_rank(rank));
  const StartCard card = host.card(realtime_now());
  const auto texts = exchange_cards(meeting_place_.path, kStartCard, card_json(card), others,
                                    Deadline::in(kAnswerWithin));
  if (!texts) return unanswered(texts.error().what);
  unanswered_ = 0;
  std::vector<NodeCard> cards;
  for (const std::string& text : *texts)
    if (auto read = node_card(text)) cards.push_back(std::move(*read));
  host.hear(cards, realtime_now());
  if (host.guests().size() != heard_of_) news_ns_ = monotonic_now();
  heard_of_ = host.guests().size();
  if (card.start_s != 0 || !card.refused.empty()) return settle(card);
  const auto missing = host.missing();
  words_ = missing.empty() ? "all are there" : "waiting for " + ranks_text(missing, self_.count);
  return State::waiting;
}

Coordination::State Coordination::serve_guest() {
  auto& guest = std::get<MeetingGuest>(side_);
  const auto texts = exchange_cards(meeting_place_.path, card_of_rank(self_.rank),
                                    card_json(guest.card(realtime_now())), {kStartCard},
                                    Deadline::in(kAnswerWithin));
  if (!texts) return unanswered(texts.error().what);
  unanswered_ = 0;
  if (const auto card = start_card(texts->front())) guest.hear(*card, realtime_now());
  const auto& answer = guest.answer();
  if (answer && (answer->start_s != 0 || !answer->refused.empty())) return settle(*answer);
  if (answer && heard_of_ == 0) {
    heard_of_ = 1;
    news_ns_ = monotonic_now();
  }
  words_ = answer ? fmt::format("waiting for {} (rank 0) to name the start", answer->node)
                  : "waiting for " + ranks_text({0}, self_.count);
  return State::waiting;
}

Coordination::State Coordination::settle(const StartCard& card) {
  if (start_ != 0) return State::agreed;
  against_ = card.node;
  if (!card.refused.empty()) return fail_with("no common start: " + card.refused);
  const Nanos now = realtime_now();
  if (card.start_s > (now + kMostLead + kClocksApart) / kSecond + 1)
    return fail_with("the start that was named is more than a minute ahead (chronyc tracking)");
  start_ = card.start_s * kSecond;
  latest_ns_ = monotonic_now() + (start_ > now ? start_ - now : 0) + kClocksApart;
  if (now < start_) return State::agreed;
  return fail_with(fmt::format("learned {} too late of the start that was agreed on",
                               format_duration(now - start_)));
}

Nanos Coordination::start_ns() const {
  const Nanos monotonic = monotonic_now(), realtime = realtime_now();
  // A clock that is set back meanwhile makes nobody wait longer.
  return std::min(latest_ns_, start_ > realtime ? monotonic + (start_ - realtime) : monotonic);
}

std::string Coordination::json() const {
  using Json = nlohmann::ordered_json;
  const ClockState state = clock_state();
  Json offset = nullptr, error = nullptr;
  if (self_.rank == 0) {
    offset = error = 0;
  } else if (const ClockBounds& clock = std::get<MeetingGuest>(side_).clock(); clock.known()) {
    offset = in_ms(-clock.offset());
    error = in_ms(clock.error());
  }
  const auto stamp = [](Nanos at) { return at == 0 ? Json(nullptr) : Json(format_rfc3339(at)); };
  Json late = nullptr;
  if (started_ != 0) late = in_ms(static_cast<std::int64_t>(started_ - start_));
  return Json{{"job", setup_.place.job},
              {"rank", self_.rank},
              {"count", self_.count},
              {"share", node_share_name(setup_.table.share)},
              {"plan_id", self_.plan_id},
              {"start", stamp(start_)},
              {"load_started", stamp(started_)},
              {"start_late_ms", late},
              {"clock",
               {{"against", against_.empty() ? Json(nullptr) : Json(against_)},
                {"offset_ms", offset},
                {"error_ms", error},
                {"synchronised", state.synchronised},
                {"max_error_ms", state.max_error_ms}}}}
      .dump();
}

}  // namespace stallproof
