// SPDX-License-Identifier: Apache-2.0
// What explain() concludes from a LockSnapshot: the wait-for graph, the cycle if there is one, the
// root and a stable signature. Plain data; rendered as text, JSON (explanation.json), DOT and SVG.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/explain/kernel_report.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

enum class NodeKind { task, lock, fuse, device, fs };
enum class Role { none, holder, queued_writer, queued_reader, service, idle_service, bystander };
enum class EdgeKind { waits_for, held_by, served_by };

struct ExplainedNode {
  std::string id;  // "task:22134", "task:0xffff8b92b4332f70", "lock:mm:…", "fuse:41"; unique
  NodeKind kind = NodeKind::task;
  std::string label;  // for people: "java 22134", "mmap_lock of java (pid 22134)"
  std::string comm;
  std::int32_t tid = 0;
  std::int32_t tgid = 0;
  char state = '?';
  Role role = Role::none;
  std::vector<std::string> stack;
  std::string note;  // e.g. why an idle service thread does not help
};

struct ExplainedEdge {
  std::string from;
  std::string to;
  EdgeKind kind = EdgeKind::waits_for;
  std::optional<LockMode> mode;
  Certainty certainty = Certainty::exact;
  std::string evidence;
};

struct Explanation {
  // mmap_lock_cycle, mmap_lock_held, fs_server_stuck, … ; "none" when nothing is stuck and
  // "unknown" when something is but the lens does not show why.
  std::string stall_class;
  std::string signature;  // class, lock kind and roles in cycle order; no names, no addresses
  std::string summary;    // the paragraph for people
  std::vector<ExplainedNode> nodes;
  std::vector<ExplainedEdge> edges;
  std::optional<std::vector<std::string>>
      cycle;  // node ids in order; absent if no deadlock is proven
  struct Root {
    std::string holder;        // node id of a task, or empty
    std::string first_writer;  // node id of a task, or empty
    std::string lock;          // node id of a lock, or empty
  } root;
  std::string advice;
  std::vector<std::string> blind_spots;
  LensKind lens = LensKind::live_bpf;
  // What the kernel itself reports, by line; absent where no kernel log was read.
  std::optional<std::vector<LogReport>> reports;
};

}  // namespace stallproof
