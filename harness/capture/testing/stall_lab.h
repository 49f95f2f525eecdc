// SPDX-License-Identifier: Apache-2.0
// For tests: what a stall that stands now is explained as, seen as the controller of a run sees it:
// the processes of a load, everybody they wait for, and nobody else.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "harness/capture/live_look.h"
#include "harness/explain/explain.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_scope.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof::testing {

class StallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for BPF and mounts";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/fuse";
    if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
  }

  // Empty class when nobody could look.
  static Explanation explained(const std::vector<pid_t>& load) {
    auto look = look_at_this_machine(load, 5 * kSecond);
    if (!look) {
      ADD_FAILURE() << look.error().what;
      return {};
    }
    EXPECT_EQ(look->lens, "bpf") << look->problem;
    keep_only_processes(look->snapshot, with_those_waited_for(look->snapshot, load));
    const auto knowledge = FsKnowledge::shipped();
    Explanation explanation = explain(look->snapshot, *knowledge);
    if (std::getenv("LAB_SHOW") != nullptr)
      std::printf("%s\n%s\n", snapshot_json(look->snapshot).c_str(),
                  render_text(explanation).c_str());
    return explanation;
  }
};

inline std::string task_id(std::int32_t tid) { return "task:" + std::to_string(tid); }

}  // namespace stallproof::testing
