// SPDX-License-Identifier: Apache-2.0
// The figures of a run at one moment, as plain data, and where they come from. Reading takes no
// lock, touches no target and never waits: it copies shared memory, which outlives its writers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stallproof {

// Upper edges of the latency classes in seconds; what is longer counts in the last class only.
inline constexpr std::array<double, 17> kLatencyEdges{50e-6, 100e-6, 250e-6, 1e-3,  2.5e-3, 10e-3,
                                                      25e-3, 100e-3, 250e-3, 1.0,   2.5,    5.0,
                                                      10.0,  30.0,   60.0,   120.0, 3600.0};

using LatencyCounts = std::array<std::uint64_t, kLatencyEdges.size() + 1>;

// Operations of one kind that a load of ours has made.
struct OpFigures {
  std::string kind;  // "read", "mprotect", …: one of few
  std::uint64_t ops = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;       // all durations together
  LatencyCounts latency{};  // as in LoadFigures
};

struct LoadFigures {
  std::string name;
  bool own = true;  // false: not our load; its operations are what the kernel counts
  std::uint64_t ops = 0;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  std::uint64_t mismatches = 0;
  std::uint32_t in_flight = 0;
  std::string op;                      // of the oldest operation in flight; empty: none
  std::uint64_t oldest_age_ns = 0;     // of the oldest operation in flight; 0: none
  std::uint64_t last_progress_ns = 0;  // monotonic; 0: nothing completed yet
  // Operations by duration, not cumulative; the last class is everything above the edges.
  LatencyCounts latency{};
  std::optional<double> p50_us, p99_us, max_us;  // since the load began
  // Of our own loads: kinds of operations that it has begun, and its failures by reason (all of
  // them).
  std::vector<OpFigures> kinds;
  std::vector<std::pair<std::string, std::uint64_t>> failures;
};

struct LockFigures {
  bool seen = false;  // false: the kernel's locks cannot be looked at here
  std::uint32_t read_waiters = 0;
  std::uint32_t write_waiters = 0;
  double oldest_wait_s = 0;
};

struct ObserverFigures {
  std::uint64_t heartbeat_ns = 0;  // monotonic, of the watchdog's last look
  double loop_lag_max_s = 0;
  std::uint64_t scans = 0, scan_failures = 0;
  double scan_max_s = 0;
  std::uint64_t gaps = 0;
  double gaps_s = 0;
  std::uint64_t kmsg_records = 0, kmsg_lost = 0, events_dropped = 0;
  // What the kernel's log told of, by kind; all kinds there are.
  std::vector<std::pair<std::string, std::uint64_t>> kmsg_events;
  std::vector<std::string> blind_spots;
};

struct SystemFigures {
  std::optional<std::uint64_t> hung_tasks;  // as the kernel counts them
  // In the last scan: in D, those of them that a signal would end, others asleep in S in a call.
  std::uint32_t blocked_tasks = 0, blocked_killable = 0, asleep_in_calls = 0;
  double io_pressure_stalled_s = 0;  // /proc/pressure/io, full
};

struct RunFigures {
  std::uint64_t taken_ns = 0;  // monotonic
  std::vector<LoadFigures> loads;
  LockFigures mmap_lock;
  ObserverFigures observer;
  SystemFigures system;
};

class FigureSource {
 public:
  FigureSource() = default;
  FigureSource(const FigureSource&) = delete;
  FigureSource& operator=(const FigureSource&) = delete;
  virtual ~FigureSource() = default;
  // Any thread.
  [[nodiscard]] virtual RunFigures read() const = 0;
};

}  // namespace stallproof
