// SPDX-License-Identifier: Apache-2.0
#include "harness/run/series/load_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace stallproof {
namespace {

constexpr Nanos kTurnEvery = 90 * kMillisecond;
constexpr const char* kLoadsHeader =
    "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n";
constexpr const char* kClassesHeader = "t_ms,load,from_us,count\n";

std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

}  // namespace

LoadRows::LoadRows(RunDir& run, const Board* board, const EvidenceArea& area)
    : board_(board),
      area_(area),
      loads_(run, "series/loads.csv", kLoadsHeader),
      classes_(run, "series/latency.csv", kClassesHeader),
      growth_(board == nullptr ? nullptr : std::make_unique<LatencyGrowth>(*board)) {}

void LoadRows::begin(Nanos started, Nanos now, const std::vector<std::string>& names) {
  started_ns_ = started;
  loads_.append("");
  if (board_ != nullptr) classes_.append("");
  read(now, names);
  before_ = now_;
  next_ns_ = now + kSecond;
}

void LoadRows::serve(Nanos now, const std::vector<std::string>& names) {
  const bool due = now >= next_ns_;
  look_at_latencies(now);
  if (!due) return;
  // Seconds keep their places, and none is much shorter than one.
  next_ns_ = std::max(next_ns_ + kSecond, now + kSecond / 2);
  if (read(now, names)) write_rows(now);
  loads_.serve(now);
  classes_.serve(now);
}

// A small board is read whole and just before its row, a large one bit by bit all the time.
void LoadRows::look_at_latencies(Nanos now) {
  if (!growth_) return;
  const bool small = board_->slots().size() <= kThreadsPerTurn;
  if (small ? now < next_ns_ : now < next_turn_ns_) return;
  next_turn_ns_ = now + kTurnEvery;
  // What is complete waits for its row: a look must not be lost to the next one.
  if (!fresh_) fresh_ = growth_->advance(kThreadsPerTurn);
}

bool LoadRows::read(Nanos now, const std::vector<std::string>& names) {
  count_ = std::min(names.size(), kMaxLoads);
  for (std::size_t i = 0; i < count_; ++i) now_[i] = {.name = csv_word(names[i])};
  if (board_ != nullptr) {
    read_board(now);
    return true;
  }
  const auto view = newest_view(area_);
  if (!view) return false;
  for (std::size_t i = 0; i < count_; ++i) {
    now_[i].ops = view->ops[i];
    now_[i].in_flight = view->in_flight[i];
    now_[i].oldest_ns = view->in_flight[i] > 0 ? view->oldest_started_ns[i] : 0;
  }
  return true;
}

void LoadRows::read_board(Nanos now) {
  count_ = std::min(count_, board_->loads().size());
  for (std::size_t i = 0; i < count_; ++i) {
    Totals& load = now_[i];
    for (const BoardSlot& slot : board_->slots_of(board_->loads()[i])) {
      load.ops += slot.ops.load(std::memory_order_relaxed);
      load.bytes += slot.bytes.load(std::memory_order_relaxed);
      load.errors += slot.errors.load(std::memory_order_relaxed);
      if (slot.left.load(std::memory_order_relaxed) != 0) continue;
      const Nanos began = slot.op_started_ns.load(std::memory_order_acquire);
      if (began == 0 || began > now) continue;  // idle, or due later
      ++load.in_flight;
      if (load.oldest_ns == 0 || began < load.oldest_ns) load.oldest_ns = began;
    }
  }
}

void LoadRows::write_rows(Nanos now) {
  text_.clear();
  class_text_.clear();
  stamp_ = fmt::format("{}", (now - started_ns_) / kMillisecond);
  for (std::size_t i = 0; i < count_; ++i) {
    const Totals& load = now_[i];
    // One that is new has grown from nothing; one that took another's place cannot be compared.
    if (!before_[i].name.empty() && before_[i].name != load.name) before_[i] = load;
    const Totals& before = before_[i];
    fmt::format_to(std::back_inserter(text_), "{},{},{},{},{},", stamp_, load.name,
                   grown(load.ops, before.ops), grown(load.bytes, before.bytes),
                   grown(load.errors, before.errors));
    LatencyGrowth::Quantiles each;
    if (fresh_ && growth_->quantiles(i, each)) {
      fmt::format_to(std::back_inserter(text_), "{:.1f},{:.1f},{:.1f}", each.p50_us, each.p99_us,
                     each.max_us);
      write_latencies(i, load.name);
    } else {
      text_ += ",,";
    }
    const Nanos age = load.oldest_ns != 0 && now > load.oldest_ns ? now - load.oldest_ns : 0;
    fmt::format_to(std::back_inserter(text_), ",{},{:.1f}\n", load.in_flight,
                   static_cast<double>(age) / 1e6);
  }
  fresh_ = false;
  before_ = now_;
  loads_.append(text_);
  if (!class_text_.empty()) classes_.append(class_text_);
}

void LoadRows::write_latencies(std::size_t load, const std::string& name) {
  growth_->each_class(load, [&](Nanos from, std::uint64_t count) {
    fmt::format_to(std::back_inserter(class_text_), "{},{},{},{}\n", stamp_, name,
                   static_cast<double>(from) / 1e3, count);
  });
}

void LoadRows::close() {
  loads_.close();
  classes_.close();
}

}  // namespace stallproof
