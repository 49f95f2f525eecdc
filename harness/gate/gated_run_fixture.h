// SPDX-License-Identifier: Apache-2.0
// Runs as the tests of the gate take them.
#pragma once

#include <string>

#include "harness/gate/gate.h"

namespace stallproof {

// A finished run of ten hours that saw its canary, did work and had no stall.
inline GatedRun good_run(const std::string& id, const std::string& node = "vm7") {
  GatedRun run;
  run.stored.directory = "/runs/" + id;
  run.stored.id = run.shown_by = id;
  Verdict& verdict = run.stored.verdict.emplace();
  verdict.run = id;
  verdict.outcome = Outcome::pass;
  verdict.exit_code = 0;
  verdict.reasons = {"no stall"};
  verdict.labels = {{"build", "3.2.1-rc4"}};
  verdict.node = node;
  verdict.kernel = "6.18.44";
  verdict.tool_version = "0.1.0";
  verdict.target_path = "/mnt/data";
  verdict.target_fstype = "ext4";
  verdict.started = "2026-11-26T08:40:26.724+00:00";
  verdict.duration_s = 36000;
  verdict.observer.lens = "bpf";
  verdict.observer.canary = CanaryEntry{.passed = true};
  verdict.workloads["direct"] = {.ops = 1000, .p99_us = 50};
  verdict.workloads["maps"] = {.ops = 500, .p99_us = 70};
  return run;
}

inline constexpr const char* kSignature = "mmap_lock_cycle:fault_read>mprotect_write>service_read";

// The same with one failing stall of `direct`.
inline GatedRun stalled_run(const std::string& id) {
  GatedRun run = good_run(id);
  Verdict& verdict = *run.stored.verdict;
  verdict.outcome = Outcome::fail;
  verdict.exit_code = 1;
  verdict.reasons = {"stalled: mmap_lock_cycle (incident 001)"};
  verdict.stalls.push_back({.id = "001",
                            .stall_class = "mmap_lock_cycle",
                            .signature = kSignature,
                            .onset = "2026-11-26T08:40:28.724+00:00",
                            .onset_ms = 2000,
                            .detected_ms = 3000,
                            .resolved_ms = 33400,
                            .failing = true,
                            .explanation = "incidents/001/explanation.json"});
  StoredIncident incident{.id = "001", .stall_class = "mmap_lock_cycle", .loads = {"direct"}};
  incident.explanation_text = "java 1 waits for itself\n";
  StoredExplanation& told = incident.explanation.emplace();
  told.summary = "java 1 waits for itself.";
  told.advice = "Abort it.";
  told.nodes.push_back({.id = "task:1", .label = "java 1", .role = "holder"});
  told.nodes.push_back({.id = "lock:a", .label = "mmap_lock of java"});
  told.edges.push_back({"task:1", "lock:a", "waits_for", "write", "exact", ""});
  told.edges.push_back({"lock:a", "task:1", "held_by", "read", "inferred", ""});
  told.cycle = {"task:1", "lock:a"};
  run.stored.incidents.push_back(std::move(incident));
  return run;
}

}  // namespace stallproof
