// SPDX-License-Identifier: Apache-2.0
#include "harness/run/judge/series_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/board/board.h"
#include "harness/store/series_read.h"

namespace stallproof {
namespace {

constexpr double kLookMs = 100;     // between two looks of the watchdog
constexpr double kLookGapMs = 350;  // further apart and one is missing
constexpr double kRowMs = 1000;

struct Entry {
  double t_ms = 0;
  std::size_t load = 0;
  LoadSpan span;
};

// Loads by name, in the order in which they first appear; as many as a run can have.
class LoadIndex {
 public:
  explicit LoadIndex(std::vector<std::string>& names) : names_(names) {}
  std::optional<std::size_t> of(std::string_view name) {
    const auto known = index_.find(name);
    if (known != index_.end()) return known->second;
    if (names_.size() >= kMaxLoads) return std::nullopt;
    names_.emplace_back(name);
    return index_.emplace(std::string(name), names_.size() - 1).first->second;
  }

 private:
  std::vector<std::string>& names_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

// Rows of one moment together, and moments in order: [begin, end) of equal t_ms.
struct Moment {
  double from_ms = 0, t_ms = 0;
  std::size_t begin = 0, end = 0;
};

std::vector<Moment> moments_of(const std::vector<Entry>& entries, double usual_ms, double gap_ms) {
  std::vector<Moment> moments;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!moments.empty() && moments.back().t_ms == entries[i].t_ms) {
      moments.back().end = i + 1;
      continue;
    }
    const double t = entries[i].t_ms;
    double from = std::max(0.0, t - usual_ms);
    if (!moments.empty() && t - moments.back().t_ms <= gap_ms) from = moments.back().t_ms;
    moments.push_back({from, t, i, i + 1});
  }
  return moments;
}

class Reader {
 public:
  Reader(const std::string& run, SeriesTimeline& timeline)
      : run_(run), timeline_(timeline), index_(timeline.loads) {}

  Result<> read() {
    const SeriesNotes notes = read_load_seconds(run_, [this](const LoadSecond& row) {
      add(rows_, row.t_ms, row.load,
          {.ops = row.ops,
           .in_flight = row.in_flight,
           .oldest_ms = row.oldest_ms,
           .longest_ms = row.max_us ? *row.max_us / 1e3 : -1});
    });
    if (notes.missing)
      return fail(fmt::format("{}: no series/loads.csv: the run ended before its load began, or a "
                              "version of stallproof made it that did not keep one",
                              run_),
                  Origin::infra);
    note(notes, "series/loads.csv");
    if (!notes.problem.empty())
      return fail(run_ + "/" + notes.words("series/loads.csv"), Origin::infra);
    for (const std::string& id : around_ids(run_)) read_looks(id);
    note(read_windows(run_,
                      [this](const SeriesWindow& window) {
                        if (window.kind == "gap")
                          timeline_.gaps.push_back({window.start_ms, window.end_ms});
                      }),
         "series/windows.csv");
    if (backwards_ > 0)
      timeline_.problems.push_back(
          fmt::format("{} rows of the series go back in time and are left out", backwards_));
    if (too_many_ > 0)
      timeline_.problems.push_back(
          fmt::format("{} rows are of more than {} loads and are left out", too_many_, kMaxLoads));
    join();
    return {};
  }

 private:
  void note(const SeriesNotes& notes, const std::string& file) {
    if (const std::string words = notes.words(file); !words.empty())
      timeline_.problems.push_back(words);
  }

  void add(std::vector<Entry>& to, double t_ms, std::string_view name, const LoadSpan& span) {
    const auto load = index_.of(name);
    if (!load) {
      ++too_many_;
    } else if (!to.empty() && t_ms < to.back().t_ms) {
      ++backwards_;
    } else {
      to.push_back({t_ms, *load, span});
    }
  }

  void read_looks(const std::string& id) {
    std::vector<Entry> looks;
    note(read_around(
             run_, id,
             [&](const AroundLook& look) {
               add(looks, look.t_ms, look.load,
                   {.ops = look.ops, .in_flight = look.in_flight, .oldest_ms = look.oldest_ms});
             }),
         fmt::format("series/around-{}.csv", id));
    if (looks.empty()) return;
    timeline_.incidents.push_back(id);
    // Of two incidents close to each other the looks are the same ones.
    for (Entry& look : looks)
      if (looks_.empty() || look.t_ms > last_look_ms_) looks_.push_back(look);
    last_look_ms_ = looks_.back().t_ms;
  }

  void push(const Moment& moment, const std::vector<Entry>& entries, bool fine) {
    timeline_.spans.push_back({moment.from_ms, moment.t_ms, fine});
    const std::size_t first = timeline_.cells.size();
    timeline_.cells.resize(first + timeline_.loads.size());
    for (std::size_t i = moment.begin; i < moment.end; ++i)
      timeline_.cells[first + entries[i].load] = entries[i].span;
    if (fine) timeline_.fine_ms += moment.t_ms - moment.from_ms;
  }

  // A second of which every look is known is told by them, as is what follows the last row.
  void join() {
    const auto rows = moments_of(rows_, kRowMs, 1e12);
    const auto looks = moments_of(looks_, kLookMs, kLookGapMs);
    std::size_t next = 0;
    for (const Moment& row : rows) {
      while (next < looks.size() && looks[next].t_ms <= row.from_ms) ++next;
      std::size_t last = next;
      bool covered = next < looks.size() && looks[next].from_ms <= row.from_ms + kLookMs / 2;
      while (covered && last < looks.size() && looks[last].t_ms < row.t_ms) {
        ++last;
        covered = last < looks.size() && looks[last].from_ms == looks[last - 1].t_ms;
      }
      if (!covered) {
        push(row, rows_, false);
        continue;
      }
      // The look across its end belongs to the next second.
      for (; next < last; ++next) push_look(looks[next]);
    }
    for (; next < looks.size() && !rows.empty(); ++next)
      if (looks[next].t_ms > rows.back().t_ms) push_look(looks[next]);
  }

  void push_look(Moment look) {
    if (!timeline_.spans.empty())
      look.from_ms = std::max(look.from_ms, timeline_.spans.back().until_ms);
    if (look.t_ms > look.from_ms) push(look, looks_, true);
  }

  const std::string& run_;
  SeriesTimeline& timeline_;
  LoadIndex index_;
  std::vector<Entry> rows_, looks_;
  double last_look_ms_ = 0;
  std::uint64_t backwards_ = 0, too_many_ = 0;
};

}  // namespace

Result<SeriesTimeline> read_timeline(const std::string& run) {
  SeriesTimeline timeline;
  if (auto read = Reader(run, timeline).read(); !read) return Failure(read.error());
  if (timeline.spans.empty())
    return fail(run + ": series/loads.csv has no rows: the run was shorter than a second",
                Origin::infra);
  return timeline;
}

}  // namespace stallproof
