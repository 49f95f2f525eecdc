// SPDX-License-Identifier: Apache-2.0
#include "harness/run/run_marks.h"

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanos kReadEvery = kSecond;

double ms(Nanos span) { return static_cast<double>(span) / 1e6; }

MarkNews news_of(const Mark& mark, const RunClock& clock) {
  MarkNews news{.text = mark.text,
                .start_ms = clock.ms(mark.at_ns),
                .end_ms = clock.ms(mark.at_ns + mark.lasts_ns)};
  if (mark.allow_ns) news.allow_ms = ms(*mark.allow_ns);
  return news;
}

}  // namespace

void RunMarks::begin() {
  if (auto reader = MarkReader::create(run_.path())) reader_ = std::move(*reader);
}

void RunMarks::serve(const RunClock& clock, IncidentBook& book, Nanos now) {
  if (!reader_ || (now < next_ns_ && book.standing() == nullptr)) return;
  next_ns_ = now + kReadEvery;
  read(clock);
  apply(book);
}

void RunMarks::finish(const RunClock& clock, IncidentBook& book) {
  if (!reader_) return;
  read(clock);
  apply(book);
}

Marked RunMarks::at(const RunClock& clock, Nanos began) {
  if (reader_) read(clock);
  return marked_at(marks_, began);
}

void RunMarks::read(const RunClock& clock) {
  for (Mark& mark : reader_->take()) {
    const double start_ms = clock.ms(mark.at_ns);
    const Json event = {{"t_ms", clock.ms(monotonic_now())},
                        {"event", "mark"},
                        {"text", mark.text},
                        {"at_ms", start_ms},
                        {"for_ms", ms(mark.lasts_ns)},
                        {"allow_ms", mark.allow_ns ? Json(ms(*mark.allow_ns)) : Json(nullptr)}};
    run_.append_event(event.dump(-1, ' ', false, Json::error_handler_t::replace));
    series_.note_window(mark.at_ns, mark.at_ns + mark.lasts_ns, "mark", mark.text);
    if (feed_ != nullptr) feed_->tell(&RunListener::on_mark, news_of(mark, clock));
    marks_.push_back(std::move(mark));
  }
}

void RunMarks::apply(IncidentBook& book) const {
  if (marks_.empty()) return;
  for (IncidentRecord& incident : book.incidents()) {
    const Marked marked = marked_at(marks_, incident.onset_ns);
    incident.marked = marked.any;
    incident.allowed_ns = marked.allow_ns;
  }
}

std::vector<MarkEntry> RunMarks::entries(const RunClock& clock) const {
  std::vector<MarkEntry> entries;
  for (const Mark& mark : marks_) {
    MarkEntry entry{.text = mark.text,
                    .start_ms = clock.ms(mark.at_ns),
                    .end_ms = clock.ms(mark.at_ns + mark.lasts_ns)};
    if (mark.allow_ns) entry.allow_ms = ms(*mark.allow_ns);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace stallproof
