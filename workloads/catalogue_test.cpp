// SPDX-License-Identifier: Apache-2.0
#include "workloads/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stallproof {
namespace {

TEST(Catalogue, EveryRowIsComplete) {
  for (const WorkloadInfo& info : workload_catalogue()) {
    SCOPED_TRACE(std::string(info.name));
    EXPECT_FALSE(info.summary.empty());
    EXPECT_FALSE(info.exercises.empty());
    EXPECT_GT(info.default_threads, 0U);
    ASSERT_NE(info.make, nullptr);
    EXPECT_NE(info.make(), nullptr);
    // PREFIX/999 must fit a thread name, the load's name a board entry.
    EXPECT_LE(info.thread_prefix.size(), 11U);
    EXPECT_LT(info.name.size(), sizeof(LoadEntry{}.name));
    for (const WorkloadParameter& parameter : info.parameters)
      EXPECT_FALSE(parameter.fallback.empty() || parameter.help.empty()) << parameter.name;
  }
}

TEST(Catalogue, NamesAndThreadPrefixesAreUnique) {
  std::set<std::string_view> names;
  std::set<std::string_view> prefixes;
  for (const WorkloadInfo& info : workload_catalogue()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(prefixes.insert(info.thread_prefix).second) << info.thread_prefix;
  }
}

TEST(Catalogue, LookupIsByExactName) {
  ASSERT_NE(find_workload("direct-read"), nullptr);
  EXPECT_EQ(find_workload("direct-read")->thread_prefix, "direct");
  EXPECT_EQ(find_workload("direct"), nullptr);
  EXPECT_EQ(find_workload(""), nullptr);
}

TEST(Catalogue, DefaultsFillOnlyWhatIsMissing) {
  Settings given;
  given.set("pin", "1");
  const Settings complete = with_defaults(*find_workload("direct-read"), given);
  EXPECT_EQ(complete.text("pin", ""), "1");
  EXPECT_EQ(complete.text("direct-size", ""), "64KiB");
  EXPECT_FALSE(complete.has("hot-pages"));
}

TEST(Catalogue, MalformedParametersAreRefusedByName) {
  struct Case {
    const char* workload;
    const char* key;
    const char* value;
  };
  const Case cases[] = {
      {"direct-read", "direct-size", "1000"}, {"direct-read", "pin", "2"},
      {"direct-read", "hashed-queues", "1"},  {"direct-read", "direct-size", "0"},
      {"mapped-fault", "hot-pages", "few"},   {"mprotect-storm", "mprotect-rate", "fast"}};
  for (const Case& wrong : cases) {
    const WorkloadInfo* info = find_workload(wrong.workload);
    ASSERT_NE(info, nullptr);
    Settings given;
    given.set(wrong.key, wrong.value);
    const auto prepared = info->make()->prepare(
        {.file = "/dev/null", .settings = with_defaults(*info, given), .threads = 1});
    ASSERT_FALSE(prepared) << wrong.key << '=' << wrong.value;
    EXPECT_NE(prepared.error().what.find(wrong.key), std::string::npos) << prepared.error().what;
  }
}

}  // namespace
}  // namespace stallproof
