// SPDX-License-Identifier: Apache-2.0
// What nodes write for each other where they meet. Plain values, as JSON; what was written by
// somebody else is read with suspicion. Stamps are CLOCK_REALTIME of the writer, in nanoseconds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/clock.h"

namespace stallproof {

// Of one writer's file, as the other side has read it last.
struct Heard {
  std::string run;  // the run that wrote it
  Nanos stamp = 0;
};

// node-RANK.json: a node is ready.
struct NodeCard {
  unsigned rank = 0, count = 0;
  std::string node, run, plan_id, tool_version;
  Nanos stamp = 0;
  std::optional<Heard> heard;  // of start.json
};

// start.json, written by rank 0.
struct StartCard {
  std::string node, run;
  Nanos stamp = 0;
  std::uint64_t start_s = 0;        // seconds since 1970; 0: not agreed yet
  std::string refused;              // why there will be no start; empty: there may be one
  std::map<unsigned, Heard> heard;  // of the others, by rank
};

std::string card_json(const NodeCard& card);
std::string card_json(const StartCard& card);
// nullopt for what is not one, whole and of this schema.
std::optional<NodeCard> node_card(std::string_view text);
std::optional<StartCard> start_card(std::string_view text);

}  // namespace stallproof
