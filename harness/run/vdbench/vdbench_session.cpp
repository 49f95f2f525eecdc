// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_session.h"

#include <fmt/format.h>

#include "harness/base/units.h"

namespace stallproof {
namespace {

RunNews news_of(const VdbenchOptions& options) {
  return {.command = options.vdbench_codes ? "vdbench" : "run",
          .target = fmt::format("{}", fmt::join(options.files, " ")),
          .labels = options.labels,
          .targets = options.targets};
}

}  // namespace

VdbenchSession::VdbenchSession(const VdbenchOptions& options, RunDir run, LiveLens lens, IoLab lab,
                               IncidentCaptures captures, Console& console)
    : options_(options),
      lab_(std::move(lab)),
      console_(console),
      session_(
          {.run = std::move(run),
           .lens = std::move(lens),
           .watchdog = lab_.watchdog(),
           .state = state_,
           .teller = *this,
           .signals = {},
           .load_names = [this] { return lab_.load_names(); },
           .processes = [this] { return std::vector<pid_t>{lab_.worker().pid()}; },
           .captures = std::move(captures),
           .fail_after = [this](const IncidentRecord&) { return options_.thresholds.fail_after; },
           .feed = options.feed,
           .news = news_of(options),
           .board = &lab_.board()}),
      intervals_(session_.run_dir(), "series/rows.csv", interval_csv_header()) {
  intervals_.append("");
}

void VdbenchSession::attend(Nanos until) {
  for (;;) {
    session_.serve();
    intervals_.serve(monotonic_now());
    console_.pass({});
    if (monotonic_now() >= until || must_end()) return;
    if (lab_.worker().pid() > 0 && lab_.worker().try_reap()) return;
    session_.wait(until, {lab_.worker().pidfd()});
  }
}

void VdbenchSession::tell_stall(const IncidentRecord& incident) {
  console_.problem(fmt::format("STALL: no I/O has completed for {} (incident {})",
                               format_duration(incident.detected_ns - incident.onset_ns),
                               incident.id()));
}

void VdbenchSession::tell_explanation(const IncidentRecord& incident) {
  console_.problem(incident.explanation->summary);
}

void VdbenchSession::tell_resolved(Nanos) { console_.problem("I/O goes on"); }

}  // namespace stallproof
