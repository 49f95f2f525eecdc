// SPDX-License-Identifier: Apache-2.0
// What the verdict of a merge has beside that of a run: its nodes, and what happened on several of
// them at once. Times are those of the merge: milliseconds since its `started`, which is the first
// node's, on the clock of the node that the others were compared with.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace stallproof {

class JsonFields;

struct NodeEntry {
  std::string node;
  std::string standing;   // counted, died, unfinished, damaged, refused, missing
  std::string verdict;    // its own word; empty: it has none
  std::string why;        // it is not counted, or not passed; empty: neither
  std::string run;        // empty without a result
  std::string directory;  // as it was given
  double start_ms = 0;
  double duration_s = 0;
  std::uint64_t stalls = 0, failing_stalls = 0, dropouts = 0;
  std::uint64_t ops = 0, bytes = 0;
  std::optional<double> p99_us, max_us;  // of its slowest load
  // Coordinated runs only.
  std::optional<double> clock_offset_ms, clock_error_ms, start_late_ms;
};

// Stalls of several nodes that began together.
struct TogetherEntry {
  double onset_ms = 0;
  double within_ms = 0;  // from the first onset to the last
  bool failing = false;
  std::vector<std::string> nodes, signatures, stalls;  // names, signatures, ids of the merge
};

struct FleetEntry {
  std::vector<NodeEntry> nodes;  // empty: the verdict is of one run
  std::vector<TogetherEntry> together;
  double node_hours = 0;  // of nodes that are counted and whose verdict is known

  [[nodiscard]] bool empty() const { return nodes.empty(); }
};

// The keys nodes, together and node_hours of a verdict; nothing of the verdict of one run.
void add_fleet(const FleetEntry& fleet, nlohmann::ordered_json& document);
void read_fleet(JsonFields& in, FleetEntry& fleet);

}  // namespace stallproof
