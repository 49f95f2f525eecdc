// SPDX-License-Identifier: Apache-2.0
#include "harness/base/node_name.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/utsname.h>

namespace stallproof {
namespace {

class NodeName : public ::testing::Test {
 protected:
  NodeName() { forget(); }
  ~NodeName() override { forget(); }
  static void forget() {
    ::unsetenv("STALLPROOF_NODE");
    ::unsetenv("SLURMD_NODENAME");
  }
};

TEST_F(NodeName, IsTheHostNameUnlessALauncherGivesOne) {
  utsname machine{};
  ::uname(&machine);
  EXPECT_EQ(node_name(), machine.nodename);
  ::setenv("SLURMD_NODENAME", "rack1-n07", 1);
  EXPECT_EQ(node_name(), "rack1-n07");
  ::setenv("STALLPROOF_NODE", "n7", 1);
  EXPECT_EQ(node_name(), "n7");
}

TEST_F(NodeName, WordsThatAreNoNameDoNotCount) {
  utsname machine{};
  ::uname(&machine);
  for (const char* const word : {"", "a b", "../x", "n\n"}) {
    ::setenv("STALLPROOF_NODE", word, 1);
    EXPECT_EQ(node_name(), machine.nodename) << word;
  }
}

}  // namespace
}  // namespace stallproof
