// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcore.h"

#include <gtest/gtest.h>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr const char* kOld =
    "OSRELEASE=3.10.0-957.el7.x86_64\nPAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n";

TEST(Vmcore, OldKernelGivesTheWayThroughCrashInOneLine) {
  const auto read = read_vmcore(MadeMemory{}, Vmcoreinfo(kOld), {});
  ASSERT_FALSE(read);
  const std::string& what = read.error().what;
  EXPECT_NE(what.find("kernel 3.10.0-957.el7.x86_64"), std::string::npos) << what;
  EXPECT_NE(what.find("stallproof explain --crash-script"), std::string::npos) << what;
  EXPECT_EQ(what.find('\n'), std::string::npos) << what;
  EXPECT_EQ(read.error().origin, Origin::user);
}

TEST(Vmcore, EmptyVmcoreinfoIsAnError) {
  EXPECT_FALSE(read_vmcore(MadeMemory{}, Vmcoreinfo(""), {}));
}

TEST(Vmcore, SystemMapThatCannotBeReadIsNamed) {
  const auto read =
      read_vmcore(MadeMemory{}, Vmcoreinfo(kOld), {.system_map = "/no/such/map", .modules = {}});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().what.find("/no/such/map"), std::string::npos) << read.error().what;
}

}  // namespace
}  // namespace stallproof
