// SPDX-License-Identifier: Apache-2.0
#include "harness/run/series/around_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace stallproof {
namespace {

constexpr const char* kHeader = "t_ms,load,ops,in_flight,oldest_ms\n";
// The watchdog also looks between two ticks, when a stall could just have come of age.
constexpr Nanos kAsClose = 75 * kMillisecond;

Nanos earlier(Nanos at, Nanos by) { return at > by ? at - by : 0; }

const IncidentRecord* record_of(const std::vector<IncidentRecord>& incidents,
                                std::uint32_t number) {
  const auto found =
      std::find_if(incidents.rbegin(), incidents.rend(),
                   [number](const IncidentRecord& each) { return each.number == number; });
  return found == incidents.rend() ? nullptr : &*found;
}

}  // namespace

void AroundRows::serve(Nanos now, const std::vector<IncidentRecord>& incidents,
                       const std::vector<std::string>& names) {
  // The ring forgets: a new incident does not wait for the second to be over.
  if (now < next_ns_ && !is_new(incidents)) return;
  next_ns_ = now + kSecond;
  open_new(incidents);
  if (open_.empty()) return;
  Nanos since = ~Nanos{0};
  for (const Open& each : open_) since = std::min(since, each.last_ns);
  const std::vector<ViewRow> rows = copy_views(area_, since);
  for (Open& each : open_) {
    const IncidentRecord* const incident = record_of(incidents, each.incident);
    if (incident == nullptr)
      each.until_ns = std::min(each.until_ns, now);
    else if (incident->resolved_ns)
      each.until_ns = std::min(each.until_ns, *incident->resolved_ns + kAfter);
    extend(each, rows, names);
    each.file.serve(now);
  }
  for (Open& each : open_)
    if (now > each.until_ns) each.file.close();
  std::erase_if(open_, [now](const Open& each) { return now > each.until_ns; });
}

void AroundRows::close(Nanos now, const std::vector<IncidentRecord>& incidents,
                       const std::vector<std::string>& names) {
  next_ns_ = 0;
  serve(now, incidents, names);
  for (Open& each : open_) each.file.close();
  open_.clear();
}

bool AroundRows::is_new(const std::vector<IncidentRecord>& incidents) const {
  return !incidents.empty() && incidents.back().kept == Kept::full &&
         std::find(begun_.begin(), begun_.end(), incidents.back().number) == begun_.end();
}

void AroundRows::open_new(const std::vector<IncidentRecord>& incidents) {
  for (const IncidentRecord& incident : incidents) {
    if (incident.kept != Kept::full) continue;
    if (std::find(begun_.begin(), begun_.end(), incident.number) != begun_.end()) continue;
    begun_.push_back(incident.number);
    const Nanos from = std::max(earlier(incident.detected_ns, kBefore), earlier(started_ns_, 1));
    open_.push_back({.incident = incident.number,
                     .last_ns = from,
                     .until_ns = from + kAtMost,
                     .file = SeriesFile(run_, "series/around-" + incident.id() + ".csv", kHeader)});
  }
}

void AroundRows::extend(Open& each, const std::vector<ViewRow>& rows,
                        const std::vector<std::string>& names) {
  for (const ViewRow& row : rows) {
    text_.clear();
    if (row.at_ns > each.until_ns || row.at_ns < each.last_ns + (each.any ? kAsClose : 0)) continue;
    for (std::size_t i = 0; each.any && i < std::min(names.size(), kMaxLoads); ++i) {
      const bool flying = row.in_flight[i] > 0 && row.oldest_started_ns[i] != 0;
      fmt::format_to(
          std::back_inserter(text_), "{},{},{},{},{:.1f}\n",
          earlier(row.at_ns, started_ns_) / kMillisecond, csv_word(names[i]),
          row.ops[i] > each.ops[i] ? row.ops[i] - each.ops[i] : 0, row.in_flight[i],
          flying ? static_cast<double>(earlier(row.at_ns, row.oldest_started_ns[i])) / 1e6 : 0.0);
    }
    each.ops = row.ops;
    each.last_ns = row.at_ns;
    each.any = true;
    each.file.append(text_);
  }
}

}  // namespace stallproof
