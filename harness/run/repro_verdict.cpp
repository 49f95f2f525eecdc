// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro_verdict.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>

#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr Nanos kHeartbeatLimit = kSecond;

std::string expectation_name(Expectation expectation) {
  switch (expectation) {
    case Expectation::none:
      return "none";
    case Expectation::stall:
      return "stall";
    case Expectation::quiet:
      return "quiet";
  }
  return "none";
}

class Maker {
 public:
  explicit Maker(const VerdictInput& input) : in_(input), state_(input.state) {}

  Verdict make() {
    describe_run();
    add_stalls();
    add_dropouts();
    add_loads();
    add_service();
    add_observer();
    add_timings();
    decide();
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] double ms(Nanos at) const {
    return at > state_.started_ns ? static_cast<double>(at - state_.started_ns) / 1e6 : 0;
  }
  [[nodiscard]] std::string wall_clock(Nanos at) const {
    return format_rfc3339(state_.started_real_ns + (at - state_.started_ns));
  }
  // Seconds count for "in every second" only while nothing stood.
  [[nodiscard]] Nanos measured_until() const {
    if (!state_.incidents.empty()) return state_.incidents.front().onset_ns;
    return state_.ending ? state_.ending->asked_ns : 0;
  }
  [[nodiscard]] Nanos last_op_ns() const {
    Nanos last = 0;
    if (state_.incidents.empty()) return 0;
    // The board goes on after healing: what completed before the stall was seen is what counts.
    for (const IncidentRecord& incident : state_.incidents)
      last = std::max(last, incident.last_op_ns);
    return last;
  }

  void describe_run();
  void add_stalls();
  void add_dropouts();
  void add_loads();
  void add_service();
  void add_observer();
  void add_timings();
  void decide();
  [[nodiscard]] std::vector<std::string> impairments() const;
  [[nodiscard]] std::vector<std::string> worthless() const;

  const VerdictInput& in_;
  const ReproState& state_;
  Verdict verdict_;
};

void Maker::describe_run() {
  utsname name{};
  ::uname(&name);
  const Nanos ended = monotonic_now();
  verdict_.run = in_.run_id;
  verdict_.scenario = in_.options.scenario;
  verdict_.settings = in_.plan.params.all();
  verdict_.settings["expect"] = expectation_name(in_.options.expectation);
  verdict_.settings["hold"] = in_.options.hold ? "yes" : "no";
  if (in_.options.deadline) verdict_.settings["deadline"] = format_duration(*in_.options.deadline);
  verdict_.settings["variant"] = in_.options.request.variant;
  if (!in_.options.request.fix.empty()) verdict_.settings["fix"] = in_.options.request.fix;
  verdict_.labels = in_.options.labels;
  verdict_.node = name.nodename;
  verdict_.kernel = name.release;
  verdict_.tool_version = SP_VERSION;
  verdict_.target_path = in_.lab.target().mount_point;
  verdict_.target_fstype = in_.lab.target().fstype;
  verdict_.target_source = in_.lab.target().source;
  verdict_.stall_after_ms = static_cast<double>(in_.options.thresholds.stall_after) / 1e6;
  verdict_.fail_after_ms = static_cast<double>(in_.options.thresholds.fail_after) / 1e6;
  verdict_.dropout_below = in_.options.thresholds.dropout_below;
  verdict_.started = wall_clock(state_.started_ns);
  verdict_.ended = wall_clock(ended);
  verdict_.duration_s = ms(ended) / 1e3;
  verdict_.left_behind = state_.ending ? state_.ending->left_behind : std::vector<std::string>{};
}

// Nothing was stuck any more when it was looked at: a stall all the same, for a reason not known.
std::string class_of(const IncidentRecord& incident) {
  if (!incident.explanation || incident.explanation->stall_class == "none") return "unknown";
  return incident.explanation->stall_class;
}

void Maker::add_stalls() {
  for (const IncidentRecord& incident : state_.incidents) {
    const bool explained = incident.explanation.has_value();
    const Nanos lasted =
        incident.resolved_ns ? *incident.resolved_ns - incident.onset_ns : ~Nanos{0};
    verdict_.stalls.push_back(
        {.id = incident.id(),
         .stall_class = class_of(incident),
         .signature = explained ? incident.explanation->signature : "unknown",
         .onset = wall_clock(incident.onset_ns),
         .onset_ms = ms(incident.onset_ns),
         .detected_ms = ms(incident.detected_ns),
         .resolved_ms =
             incident.resolved_ns ? std::optional(ms(*incident.resolved_ns)) : std::nullopt,
         .failing = lasted >= in_.options.thresholds.fail_after || incident.cycle_confirmed,
         .sources = incident.sources(),
         .explanation = explained ? "incidents/" + incident.id() + "/explanation.json" : ""});
  }
}

void Maker::add_dropouts() {
  const Nanos end = state_.ending ? state_.ending->asked_ns : monotonic_now();
  for (const DropoutRecord& dropout : state_.dropouts) {
    const Nanos until = std::max(dropout.until_ns.value_or(end), dropout.since_ns);
    verdict_.dropouts.push_back({.workload = in_.lab.board().loads()[dropout.load].name,
                                 .start_ms = ms(dropout.since_ns),
                                 .duration_ms = static_cast<double>(until - dropout.since_ns) / 1e6,
                                 .min_ratio = dropout.ratio});
  }
}

void Maker::add_loads() {
  const Board& board = in_.lab.board();
  for (std::size_t i = 0; i < board.loads().size(); ++i) {
    WorkloadEntry entry;
    HistogramSum latency;
    for (const BoardSlot& slot : board.slots_of(board.loads()[i])) {
      entry.ops += slot.ops.load();
      entry.bytes += slot.bytes.load();
      entry.errors += slot.errors.load();
      entry.mismatches += slot.mismatches.load();
      entry.sigbus += slot.sigbus.load();
      latency.add(slot.latency);
    }
    entry.p50_us = static_cast<double>(latency.quantile(0.5)) / 1e3;
    entry.p99_us = static_cast<double>(latency.quantile(0.99)) / 1e3;
    entry.max_us = static_cast<double>(latency.quantile(1.0)) / 1e3;
    entry.per_second_min = in_.sampler.per_second_min(SecondSampler::load_ops, i, measured_until());
    verdict_.workloads[board.loads()[i].name] = entry;
  }
}

void Maker::add_service() {
  const ServicePanel& service = in_.lab.board().header().service;
  const auto least = [this](SecondSampler::Field field) {
    return in_.sampler.per_second_min(field, 0, measured_until());
  };
  verdict_.service = {.page_reads = service.page_reads.load(),
                      .direct_reads = service.direct_reads.load(),
                      .page_reads_per_second_min = least(SecondSampler::page_reads),
                      .direct_reads_per_second_min = least(SecondSampler::direct_reads)};
  if (in_.plan.has_hazard)
    verdict_.hazard = HazardEntry{.entered = service.hazards.load(),
                                  .per_second_min = least(SecondSampler::hazards)};
}

void Maker::add_observer() {
  const WatchdogHealth& health = in_.lab.evidence().area().health;
  const auto in_ms = [](const std::atomic<std::uint64_t>& ns) {
    return static_cast<double>(ns.load()) / 1e6;
  };
  ObserverEntry& observer = verdict_.observer;
  const char* problem = in_.lab.evidence().area().scan_problem.data();
  observer.lens = problem[0] == '\0' ? "bpf" : "proc";
  observer.loop_lag_max_ms = in_ms(health.lag_max_ns);
  observer.tick_max_ms = in_ms(health.tick_max_ns);
  observer.tick_max_in_stall_ms = in_ms(health.tick_max_in_stall_ns);
  if (state_.watched_ns != 0)
    observer.cpu_percent = 100.0 * static_cast<double>(state_.watchdog_cpu_ns) /
                           static_cast<double>(state_.watched_ns);
  observer.rss_kib = state_.watchdog_rss_kib;
  observer.scans = health.scans.load();
  observer.scan_max_ms = in_ms(health.scan_max_ns);
  observer.scan_failures = health.scan_failures.load();
  observer.gaps = health.gaps.load();
  observer.kmsg_lost = health.kmsg_lost.load();
  observer.probe_timeouts = in_.probe_timeouts;
  observer.events_dropped = health.events_dropped.load();
  const EvidenceArea& area = in_.lab.evidence().area();
  if (problem[0] != '\0')
    observer.blind_spots.push_back(fmt::format("locks, queues and FUSE requests: {}", problem));
  else if (area.fuse_problem[0] != '\0')
    observer.blind_spots.push_back(fmt::format("FUSE requests: {}", area.fuse_problem.data()));
  if (area.kmsg_problem[0] != '\0')
    observer.blind_spots.push_back(fmt::format("kernel log: {}", area.kmsg_problem.data()));
  for (const IncidentRecord& incident : state_.incidents) {
    if (!incident.explanation) continue;
    for (const std::string& spot : incident.explanation->blind_spots)
      if (std::find(observer.blind_spots.begin(), observer.blind_spots.end(), spot) ==
          observer.blind_spots.end())
        observer.blind_spots.push_back(spot);
  }
}

void Maker::add_timings() {
  TimingEntry& timings = verdict_.timings;
  if (state_.armed_ns) timings.armed_ms = ms(*state_.armed_ns);
  if (last_op_ns() != 0) timings.last_op_ms = ms(last_op_ns());
  if (!state_.incidents.empty()) {
    const IncidentRecord& first = state_.incidents.front();
    timings.detected_ms = ms(first.detected_ns);
    if (first.explained_ns != 0) timings.explained_ms = ms(first.explained_ns);
  }
  if (!state_.ending) return;
  timings.heal_asked_ms = ms(state_.ending->asked_ns);
  if (state_.ending->healed_ns != 0) timings.healed_ms = ms(state_.ending->healed_ns);
}

std::vector<std::string> Maker::impairments() const {
  std::vector<std::string> found;
  const WatchdogHealth& health = in_.lab.evidence().area().health;
  if (health.ticks.load() == 0) found.emplace_back("the watchdog never looked");
  if (state_.heartbeat_age_max_ns > kHeartbeatLimit)
    found.push_back(fmt::format("the watchdog gave no sign of life for {}",
                                format_duration(state_.heartbeat_age_max_ns)));
  if (health.gaps.load() > 0)
    found.push_back(
        fmt::format("the watchdog was not run {} times (observer gap)", health.gaps.load()));
  if (health.events_dropped.load() + health.findings_dropped.load() > 0)
    found.emplace_back("findings of the watchdog were lost");
  if (health.scan_failures.load() > 0)
    found.push_back(
        fmt::format("{} scans of the kernel's tasks failed", health.scan_failures.load()));
  if (health.scans_truncated.load() > 0)
    found.push_back(
        fmt::format("{} scans of the kernel's tasks were cut", health.scans_truncated.load()));
  if (health.kmsg_lost.load() > 0)
    found.push_back(fmt::format("{} records of the kernel log were lost", health.kmsg_lost.load()));
  if (in_.probe_timeouts > 0)
    found.push_back(fmt::format("{} reads of /proc did not answer", in_.probe_timeouts));
  return found;
}

// Quiet proves something only if work was done, rightly, in every second.
std::vector<std::string> Maker::worthless() const {
  std::vector<std::string> found = state_.load_failures;
  const auto need = [&found](const std::optional<std::uint64_t>& least, const std::string& what) {
    if (least && *least == 0) found.push_back(fmt::format("in some second no {}", what));
  };
  need(verdict_.service.page_reads_per_second_min, "page read was served");
  need(verdict_.service.direct_reads_per_second_min, "direct read was served");
  if (verdict_.hazard) need(verdict_.hazard->per_second_min, "hazard was entered");
  for (const auto& [name, load] : verdict_.workloads)
    need(load.per_second_min, fmt::format("operation of {} completed", name));
  return found;
}

void Maker::decide() {
  ReproFacts facts{.expectation = in_.options.expectation,
                   .interrupted = state_.interrupted,
                   .lost = state_.lost,
                   .impaired = impairments(),
                   .worthless = worthless(),
                   .unsaved = in_.unsaved,
                   .stalled = !verdict_.stalls.empty(),
                   .expected_class = in_.plan.expected_class,
                   .expected_signature = in_.plan.expected_signature,
                   .has_hazard = in_.plan.has_hazard,
                   .hazards = verdict_.hazard ? verdict_.hazard->entered : 0,
                   .left_behind = verdict_.left_behind};
  for (const StallEntry& stall : verdict_.stalls) {
    // The one that was promised, if it is among them; else the last.
    if (facts.signature == facts.expected_signature) break;
    facts.stall_class = stall.stall_class;
    facts.signature = stall.signature;
  }
  const ReproOutcome outcome = judge_repro(facts);
  verdict_.outcome = outcome.outcome;
  verdict_.exit_code = outcome.exit_code;
  verdict_.reasons = outcome.reasons;
}

}  // namespace

Verdict make_verdict(const VerdictInput& input) { return Maker(input).make(); }

}  // namespace stallproof
