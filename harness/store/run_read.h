// SPDX-License-Identifier: Apache-2.0
// A run directory as data, for whoever judges, compares or shows runs afterwards. Reads plain
// files, which may block as any disk does; never writes. What an older version did not save yet is
// absent or empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/store/verdict.h"

namespace stallproof {

// One party of an explanation; the words are those of explanation.json.
struct StoredNode {
  std::string id, kind, label, comm, state, role, note;  // role: empty when it has none
  std::optional<int> tid, tgid;
  std::vector<std::string> stack;
};

struct StoredEdge {
  std::string from, to, kind, mode, certainty, evidence;  // mode: empty when it has none
};

struct StoredExplanation {
  std::string stall_class, signature, summary, advice, lens;
  std::vector<StoredNode> nodes;
  std::vector<StoredEdge> edges;
  std::optional<std::vector<std::string>> cycle;          // ids of nodes
  std::string root_holder, root_first_writer, root_lock;  // ids; empty when unknown
  std::vector<std::string> blind_spots;
};

struct StoredSupport {
  std::string detector, what;
  double since_ms = 0;
  std::uint64_t count = 0;
};

struct StoredIncident {
  std::string id, stall_class, signature;
  double onset_ms = 0;
  double detected_ms = 0;
  std::optional<double> resolved_ms;
  std::vector<std::string> loads, sources, detectors;
  std::vector<StoredSupport> support;
  std::uint64_t blocked_tasks = 0;
  bool cycle_confirmed = false;
  std::optional<StoredExplanation> explanation;
  std::string explanation_text;  // explanation.txt; empty without one
};

// env.json: the machine.
struct StoredEnvironment {
  std::string node, kernel, kernel_version, machine, tool_version;
  int cpus = 0;
};

struct StoredRun {
  std::string directory;
  std::string id;                  // of verdict.json, else run.id; empty when neither tells it
  std::optional<Verdict> verdict;  // absent: the run has not finished, or was killed
  std::optional<StoredEnvironment> environment;
  std::vector<StoredIncident> incidents;  // in order of their ids
  std::string plan;                       // plan.toml as text; empty without one
  std::vector<std::string> problems;      // files of incidents that could not be read, a line each
};

// `word`: a directory, the name of a run under the state directory, or "latest". `command` stands
// at the beginning of an error.
Result<std::string> find_run_directory(const std::string& word, const std::string& command);

// What to do with a verdict.json or env.json that is damaged or newer than this version: refuse the
// run, or leave the file out and say so in `problems`.
enum class Damage { refused, told };

// An error: no directory, no run, or such damage.
Result<StoredRun> read_run(const std::string& directory, Damage damage = Damage::refused);

// The parts, for one file at a time. `name` stands at the beginning of an error.
Result<StoredExplanation> parse_explanation(std::string_view text, const std::string& name);
Result<StoredIncident> parse_incident(std::string_view text, const std::string& name);
Result<StoredEnvironment> parse_environment(std::string_view text, const std::string& name);

}  // namespace stallproof
