// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/live_console.h"

#include <utility>

namespace stallproof {
namespace {

std::string title_of(const RunNews& news) {
  return news.target.empty() ? news.command : news.command + " " + news.target;
}

}  // namespace

void FigureSeconds::begin(std::shared_ptr<const FigureSource> source, Nanos started_ns) {
  source_ = std::move(source);
  if (!source_) return;
  now_ = source_->read();
  next_ns_ = started_ns + kSecond;
}

bool FigureSeconds::take_if_due(Nanos now) {
  if (!source_ || now < next_ns_) return false;
  // A pass that came late does not make up for the seconds it missed.
  next_ns_ += (now - next_ns_) / kSecond * kSecond + kSecond;
  before_ = std::exchange(now_, source_->read());
  return true;
}

LiveConsole::LiveConsole(Console& console, const Options& options)
    : console_(console), options_(options) {
  state_.stall_after = options.stall_after;
}

void LiveConsole::on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) {
  state_.title = title_of(news);
  if (news.duration_ms) state_.planned_s = *news.duration_ms / 1e3;
  started_ns_ = news.started_ns;
  seconds_.begin(std::move(source), news.started_ns);
  next_draw_ns_ = 0;
}

void LiveConsole::on_stall(const StallNews& news) {
  ++state_.stalls;
  standing_[news.id] = news.stall_class;
  next_draw_ns_ = 0;
}

void LiveConsole::on_explained(const StallNews& news) {
  const auto found = standing_.find(news.id);
  if (found != standing_.end()) found->second = news.stall_class;
  next_draw_ns_ = 0;
}

void LiveConsole::on_resolved(const StallNews& news) {
  standing_.erase(news.id);
  next_draw_ns_ = 0;
}

void LiveConsole::on_dropout(const DropoutNews& news) {
  if (news.end_ms) {
    dropouts_.erase(news.workload);
    return;
  }
  ++state_.dropouts;
  dropouts_.insert(news.workload);
}

void LiveConsole::on_blind(std::string_view why) {
  state_.blind = why;
  next_draw_ns_ = 0;
}

void LiveConsole::on_window(bool open) { window_ = open; }

void LiveConsole::on_verdict(const Verdict&) {
  over_ = true;
  console_.draw({});
}

void LiveConsole::on_pass(Nanos now, std::string_view phase) {
  if (over_) return;
  if (phase != state_.phase) {
    state_.phase = phase;
    next_draw_ns_ = 0;
  }
  if (seconds_.take_if_due(now)) {
    take_figures();
    next_draw_ns_ = 0;
  }
  if (now < next_draw_ns_) return;
  next_draw_ns_ = now + kSecond;
  state_.elapsed_s =
      started_ns_ == 0 || now < started_ns_ ? 0 : static_cast<double>(now - started_ns_) / 1e9;
  show();
}

void LiveConsole::take_figures() {
  std::map<std::string, std::deque<double>> rates;
  for (LiveLoad& load : state_.loads) rates[load.name] = std::move(load.rates);
  state_.loads.clear();
  const Nanos span = seconds_.now().taken_ns - seconds_.before().taken_ns;
  for (const LoadFigures& figures : seconds_.now().loads) {
    LiveLoad load{.name = figures.name,
                  .rates = std::move(rates[figures.name]),
                  .in_flight = figures.in_flight,
                  .oldest_ns = figures.oldest_age_ns,
                  .errors = figures.errors,
                  .own = figures.own};
    // What has just come has no second behind it.
    if (const LoadFigures* const before = find_load(seconds_.before(), figures.name)) {
      load.rate = rate_between(*before, figures, span);
      load.rates.push_back(load.rate.ops_per_s);
      if (load.rates.size() > kRatesKept) load.rates.pop_front();
    }
    state_.loads.push_back(std::move(load));
  }
}

void LiveConsole::show() {
  state_.standing.clear();
  for (const auto& [id, stall_class] : standing_) state_.standing.push_back(stall_class);
  state_.dropout_now = !dropouts_.empty();
  LiveState shown = state_;
  for (const MarkNews& mark : marks_)
    if (mark.start_ms <= state_.elapsed_s * 1e3 && state_.elapsed_s * 1e3 <= mark.end_ms)
      shown.phase += (shown.phase.empty() ? "(mark: " : " (mark: ") + mark.text + ")";
  if (window_) shown.phase += shown.phase.empty() ? "(injection)" : " (injection)";
  const TerminalLook look = console_.look();
  console_.draw(live_lines(shown, look));
}

}  // namespace stallproof
