// SPDX-License-Identifier: Apache-2.0
#include "harness/run/load_figures.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "harness/run/target_rows.h"

namespace stallproof {
namespace {

// Counted by the one, told by the other.
static_assert([] {
  for (std::size_t i = 0; i < kLatencyEdges.size(); ++i)
    if (kDurationEdges[i] != static_cast<Nanos>(kLatencyEdges[i] * 1e9 + 0.5)) return false;
  return kDurationEdges.size() == kLatencyEdges.size();
}());

void add_in_flight(const BoardSlot& slot, Nanos now, LoadFigures& load) {
  if (slot.left.load(std::memory_order_relaxed) != 0) return;
  const Nanos started = slot.op_started_ns.load(std::memory_order_acquire);
  if (started == 0 || started > now) return;  // idle, or an op that is due later
  ++load.in_flight;
  if (now - started < load.oldest_age_ns) return;
  load.oldest_age_ns = std::max<Nanos>(now - started, 1);
  load.op = op_name(static_cast<Op>(slot.op_code.load(std::memory_order_relaxed)));
}

// All threads of a load together, of one kind of operation.
void add_tally(const OpTally& tally, OpFigures& into) {
  into.ops += tally.ops.load(std::memory_order_relaxed);
  into.bytes += tally.bytes.load(std::memory_order_relaxed);
  into.seconds += static_cast<double>(tally.total_ns.load(std::memory_order_relaxed)) / 1e9;
  for (std::size_t i = 0; i < into.latency.size(); ++i)
    into.latency[i] += tally.classes[i].load(std::memory_order_relaxed);
}

// By kind of operation and of failure, over all threads of a load.
struct Kinds {
  std::array<OpFigures, kOpKinds> ops;
  std::array<bool, kOpKinds> begun{};
  std::array<std::uint64_t, kErrorKinds> errors{};

  void add(const BoardSlot& slot) {
    const std::uint32_t op = slot.op_code.load(std::memory_order_relaxed);
    if (op != static_cast<std::uint32_t>(Op::none))
      begun[static_cast<std::size_t>(kind_of(op))] = true;
    for (std::size_t i = 0; i < kOpKinds; ++i) {
      if (slot.tally.kinds[i].ops.load(std::memory_order_relaxed) == 0) continue;
      begun[i] = true;
      add_tally(slot.tally.kinds[i], ops[i]);
    }
    for (std::size_t i = 0; i < kErrorKinds; ++i)
      errors[i] += slot.tally.errors[i].load(std::memory_order_relaxed);
  }

  void into(LoadFigures& load) {
    for (std::size_t i = 0; i < kOpKinds; ++i) {
      if (!begun[i]) continue;
      ops[i].kind = op_kind_name(static_cast<OpKind>(i));
      for (std::size_t j = 0; j < load.latency.size(); ++j) load.latency[j] += ops[i].latency[j];
      load.kinds.push_back(std::move(ops[i]));
    }
    for (std::size_t i = 0; i < kErrorKinds; ++i)
      load.failures.emplace_back(error_kind_name(static_cast<ErrorKind>(i)), errors[i]);
  }
};

void add_latency(const HistogramSum& sum, LoadFigures& load) {
  if (load.ops == 0) return;
  load.p50_us = static_cast<double>(sum.quantile(0.5)) / 1e3;
  load.p99_us = static_cast<double>(sum.quantile(0.99)) / 1e3;
  load.max_us = static_cast<double>(sum.quantile(1.0)) / 1e3;
}

}  // namespace

LoadFigures own_load_figures(const Board& board, const LoadEntry& load, Nanos now) {
  LoadFigures figures{.name = load.name};
  HistogramSum latency;
  Kinds kinds;
  for (const BoardSlot& slot : board.slots_of(load)) {
    figures.ops += slot.ops.load(std::memory_order_acquire);
    figures.bytes += slot.bytes.load(std::memory_order_relaxed);
    figures.errors += slot.errors.load(std::memory_order_relaxed);
    figures.mismatches += slot.mismatches.load(std::memory_order_relaxed);
    figures.last_progress_ns =
        std::max(figures.last_progress_ns, slot.last_done_ns.load(std::memory_order_relaxed));
    add_in_flight(slot, now, figures);
    latency.add(slot.latency);
    kinds.add(slot);
  }
  kinds.into(figures);
  add_latency(latency, figures);
  return figures;
}

std::vector<LoadFigures> foreign_load_figures(const EvidenceArea& area, Nanos now) {
  std::vector<LoadFigures> found;
  const ViewRow view = newest_view(area).value_or(ViewRow{});
  const std::vector<std::string> names = target_names(area);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const TargetRow& row = area.targets[i];
    LoadFigures load{.name = names[i], .own = false};
    load.ops = view.ops[i];
    load.in_flight = view.in_flight[i];
    load.last_progress_ns = row.last_done_ns.load(std::memory_order_relaxed);
    const Nanos since = row.blocked_since_ns.load(std::memory_order_relaxed);
    if (since != 0 && load.in_flight > 0 && now > since) load.oldest_age_ns = now - since;
    found.push_back(std::move(load));
  }
  return found;
}

}  // namespace stallproof
