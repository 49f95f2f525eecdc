// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/sources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace stallproof {
namespace {

TEST(Sources, MountsAndVersionsAreReadHere) {
  const auto sources = collect_sources(Deadline::in(10 * kSecond));
  const auto found = std::find_if(sources.begin(), sources.end(), [](const SourceResult& each) {
    return each.file == "mountinfo.txt";
  });
  ASSERT_NE(found, sources.end());
  EXPECT_EQ(found->problem, "");
  EXPECT_NE(found->text.find(" / "), std::string::npos);
}

TEST(Sources, NoTimeLeftIsSaidOfEachAndCostsNothing) {
  for (const SourceResult& source : collect_sources(Deadline(0)))
    EXPECT_EQ(source.problem, "not reached in time") << source.file;
}

TEST(Sources, ProcessThatHasEndedIsNoProblem) {
  const SourceResult read = collect_processes({::getpid(), 999'999'999}, Deadline::in(kSecond));
  EXPECT_EQ(read.problem, "");
  EXPECT_NE(read.text.find("State:"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
