// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/quiet_functions.h"

#include <gtest/gtest.h>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

TEST(QuietFunctions, RangeEndsWhereTheNextFunctionBegins) {
  const FakeTree tree;
  tree.put("kallsyms",
           "ffffffff81063000 T copy_process\n"
           "ffffffff81063a10 T __pfx_kernel_clone\n"
           "ffffffff81063a20 T kernel_clone\n"
           "ffffffff81063a20 T an_alias\n"
           "ffffffff81063f00 t __do_sys_clone\n"
           "ffffffff81070000 T __refrigerator\n");
  QuietFunctions quiet;
  quiet.open(tree.root() + "/kallsyms");
  EXPECT_EQ(quiet.known(), 1U);  // the last one has no end
  EXPECT_FALSE(quiet.contains(0xffffffff81063a20));
  EXPECT_TRUE(quiet.contains(0xffffffff81063a21));
  EXPECT_TRUE(quiet.contains(0xffffffff81063f00));
  EXPECT_FALSE(quiet.contains(0xffffffff81063f01));
  EXPECT_FALSE(quiet.contains(0));
}

TEST(QuietFunctions, HiddenAddressesAndGarbageGiveNone) {
  const FakeTree tree;
  tree.put("hidden", "0000000000000000 T kernel_clone\n0000000000000000 T next\n");
  tree.put("garbage", "kernel_clone\n\nffff\n" + std::string(100'000, 'x'));
  for (const char* file : {"/hidden", "/garbage", "/missing"}) {
    QuietFunctions quiet;
    quiet.open(tree.root() + file);
    EXPECT_EQ(quiet.known(), 0U) << file;
    EXPECT_FALSE(quiet.contains(0xffffffff81063a21)) << file;
  }
}

}  // namespace
}  // namespace stallproof
