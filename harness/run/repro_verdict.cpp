// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/units.h"
#include "harness/run/load_report.h"
#include "harness/run/target_facts.h"

namespace stallproof {
namespace {

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
    describe();
    add_stalls();
    add_loads();
    add_service();
    verdict_.observer = observer_entry(in_.lab.evidence(), state_.figures, in_.book.incidents());
    add_timings();
    decide();
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] double ms(Nanos at) const { return state_.clock.ms(at); }
  // Seconds count for "in every second" only while nothing stood.
  [[nodiscard]] Nanos measured_until() const {
    if (!in_.book.incidents().empty()) return in_.book.incidents().front().onset_ns;
    return state_.ending ? state_.ending->asked_ns : 0;
  }
  [[nodiscard]] Nanos last_op_ns() const {
    Nanos last = 0;
    if (in_.book.incidents().empty()) return 0;
    // The board goes on after healing: what completed before the stall was seen is what counts.
    for (const IncidentRecord& incident : in_.book.incidents())
      last = std::max(last, incident.last_op_ns);
    return last;
  }

  void describe();
  void add_stalls();
  void add_loads();
  void add_service();
  void add_timings();
  void decide();
  [[nodiscard]] std::vector<std::string> worthless() const;

  const VerdictInput& in_;
  const ReproState& state_;
  Verdict verdict_;
};

void Maker::describe() {
  describe_run(verdict_, state_.clock, in_.options.thresholds);
  verdict_.run = in_.run_id;
  verdict_.scenario = in_.options.scenario;
  verdict_.settings = in_.plan.params.all();
  verdict_.settings["expect"] = expectation_name(in_.options.expectation);
  verdict_.settings["hold"] = in_.options.hold ? "yes" : "no";
  if (in_.options.deadline) verdict_.settings["deadline"] = duration_word(*in_.options.deadline);
  verdict_.settings["variant"] = in_.options.request.variant;
  if (!in_.options.request.fix.empty()) verdict_.settings["fix"] = in_.options.request.fix;
  verdict_.labels = in_.options.labels;
  verdict_.target_path = in_.lab.target().mount_point;
  verdict_.target_fstype = in_.lab.target().fstype;
  verdict_.target_source = in_.lab.target().source;
  if (!verdict_.target_fstype.empty())
    note_target_facts(look_at_target_facts(verdict_.target_fstype, 0), verdict_);
  verdict_.captures = in_.captures;
  verdict_.left_behind = state_.ending ? state_.ending->left_behind : std::vector<std::string>{};
}

void Maker::add_stalls() {
  for (const IncidentRecord& incident : in_.book.incidents())
    verdict_.stalls.push_back(
        stall_entry(incident, state_.clock, in_.options.thresholds.fail_after));
  verdict_.dropouts = dropout_entries(in_.book.dropouts(), in_.lab.load_names(), state_.clock,
                                      state_.ending ? state_.ending->asked_ns : monotonic_now());
}

void Maker::add_loads() {
  const Board& board = in_.lab.board();
  for (std::size_t i = 0; i < board.loads().size(); ++i) {
    WorkloadEntry entry = load_totals(board, board.loads()[i]);
    entry.per_second_min = in_.sampler.per_second_min(SecondSampler::load_ops, i, measured_until());
    verdict_.workloads[board.loads()[i].name] = entry;
  }
}

void Maker::add_service() {
  if (!in_.plan.service && !in_.plan.has_hazard) return;
  const ServicePanel& service = in_.lab.board().header().service;
  const auto least = [this](SecondSampler::Field field) {
    return in_.sampler.per_second_min(field, 0, measured_until());
  };
  verdict_.service =
      ServiceEntry{.page_reads = service.page_reads.load(),
                   .direct_reads = service.direct_reads.load(),
                   .page_reads_per_second_min = least(SecondSampler::page_reads),
                   .direct_reads_per_second_min = least(SecondSampler::direct_reads)};
  if (in_.plan.has_hazard)
    verdict_.hazard = HazardEntry{.entered = service.hazards.load(),
                                  .per_second_min = least(SecondSampler::hazards)};
}

void Maker::add_timings() {
  TimingEntry& timings = verdict_.timings;
  if (state_.armed_ns) timings.armed_ms = ms(*state_.armed_ns);
  if (last_op_ns() != 0) timings.last_op_ms = ms(last_op_ns());
  if (!in_.book.incidents().empty()) {
    const IncidentRecord& first = in_.book.incidents().front();
    timings.detected_ms = ms(first.detected_ns);
    if (first.explained_ns != 0) timings.explained_ms = ms(first.explained_ns);
  }
  if (!state_.ending) return;
  timings.heal_asked_ms = ms(state_.ending->asked_ns);
  if (state_.ending->healed_ns != 0) timings.healed_ms = ms(state_.ending->healed_ns);
}

// Quiet proves something only if work was done, rightly, in every second.
std::vector<std::string> Maker::worthless() const {
  std::vector<std::string> found = state_.load_failures;
  const auto need = [&found](const std::optional<std::uint64_t>& least, const std::string& what) {
    if (least && *least == 0) found.push_back(fmt::format("in some second no {}", what));
  };
  if (!in_.plan.steady) return found;
  if (verdict_.hazard) {
    need(verdict_.service->page_reads_per_second_min, "page read was served");
    need(verdict_.service->direct_reads_per_second_min, "direct read was served");
  }
  if (verdict_.hazard) need(verdict_.hazard->per_second_min, "hazard was entered");
  for (const auto& [name, load] : verdict_.workloads)
    need(load.per_second_min, fmt::format("operation of {} completed", name));
  return found;
}

void Maker::decide() {
  ReproFacts facts{.expectation = in_.options.expectation,
                   .interrupted = state_.interrupted,
                   .lost = state_.lost,
                   .impaired = impairments(in_.lab.evidence(), state_.figures),
                   .worthless = worthless(),
                   .unsaved = in_.unsaved,
                   .stalled = !verdict_.stalls.empty(),
                   .expected_class = in_.plan.expected_class,
                   .expected_signatures = in_.plan.expected_signatures,
                   .has_hazard = in_.plan.has_hazard,
                   .hazards = verdict_.hazard ? verdict_.hazard->entered : 0,
                   .left_behind = verdict_.left_behind};
  for (const StallEntry& stall : verdict_.stalls) {
    // The one that was promised, if it is among them; else the last.
    if (as_promised(facts)) break;
    facts.stall_class = stall.stall_class;
    facts.signature = stall.signature;
  }
  const ReproOutcome outcome = judge_repro(facts);
  verdict_.outcome = outcome.outcome;
  verdict_.exit_code = outcome.exit_code;
  verdict_.reasons = outcome.reasons;
  note_unlisted(verdict_, in_.book.unlisted());
}

}  // namespace

Verdict make_verdict(const VerdictInput& input) { return Maker(input).make(); }

}  // namespace stallproof
