// SPDX-License-Identifier: Apache-2.0
// Results of nodes for tests of merge, as runs leave them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/merge/merge.h"
#include "harness/store/verdict.h"

namespace stallproof {

inline constexpr const char* kFleetSignature =
    "mmap_lock_cycle:fault_read>mprotect_write>service_read";

// A directory of its own, removed with everything in it.
class MadeFleet {
 public:
  MadeFleet();
  MadeFleet(const MadeFleet&) = delete;
  MadeFleet& operator=(const MadeFleet&) = delete;
  ~MadeFleet();
  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }
  void put(const std::string& name, const std::string& content) const;
  // A finished run of ten hours, PATH/NODE, after `change`.
  using Change = std::function<void(Verdict& verdict)>;
  void put_node(const std::string& node, const Change& change = {}) const;
  // A run without a verdict, as one that was killed leaves it.
  void put_unfinished(const std::string& node) const;
  // Its `coordination` in env.json; `clock`: {"against":…} as text.
  void put_coordination(const std::string& node, int rank, int count,
                        const std::string& clock) const;

 private:
  std::string root_;
};

// A finished run of ten hours on `node` that had no stall.
Verdict good_verdict(const std::string& node);
// One more stall, failing, `onset_ms` after the start.
void add_stall(Verdict& verdict, double onset_ms, const std::string& signature = kFleetSignature);

// The same as results, without any file.
NodeResult good_result(const std::string& node, const MadeFleet::Change& change = {});
NodeResult coordinated_result(const std::string& node, int rank, int count, double offset_ms);

// Of nodes n1, n2, … as many as there are results. Fails the test on an error.
Merged merged_of(std::vector<NodeResult> results, const std::string& expected);

}  // namespace stallproof
