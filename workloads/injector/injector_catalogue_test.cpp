// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/injector_catalogue.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "harness/base/process.h"
#include "workloads/injector/injector_role.h"

namespace stallproof {
namespace {

// The line that the role reports, and its exit code.
std::pair<int, std::string> refusal(std::vector<std::string> words) {
  auto pipe = Pipe::create();
  EXPECT_TRUE(pipe);
  words.push_back("ready=" + std::to_string(::dup(pipe->write_end.get())));
  const int code = run_injector_role(words);
  pipe->write_end.reset();
  const auto ready = wait_ready(pipe->read_end, "injector", Deadline::in(kSecond));
  return {code, ready ? "ready" : ready.error().what};
}

TEST(InjectorCatalogue, EveryRowIsCompleteAndNamedOnce) {
  std::set<std::string_view> names;
  for (const InjectorInfo& info : injector_catalogue()) {
    SCOPED_TRACE(std::string(info.name));
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_FALSE(info.summary.empty());
    ASSERT_NE(info.make, nullptr);
    EXPECT_NE(info.make(), nullptr);
    EXPECT_EQ(find_injector(info.name), &info);
  }
  EXPECT_EQ(find_injector("freeze"), nullptr);
}

TEST(InjectorCatalogue, NothingPreparedIsNothingToUndo) {
  for (const InjectorInfo& info : injector_catalogue()) {
    const auto injector = info.make();
    EXPECT_TRUE(injector->heal()) << info.name;
    EXPECT_TRUE(injector->remove()) << info.name;
  }
}

TEST(InjectorRole, WordsThatAreWrongAreRefusedByName) {
  const auto [unknown, what] = refusal({"injector=freeze", "board=3", "directory=/x"});
  EXPECT_EQ(unknown, 2);
  EXPECT_NE(what.find("'freeze'"), std::string::npos) << what;
  const auto [extra, word] =
      refusal({"injector=own-disk", "board=3", "directory=/x", "cpu-quota=1ms"});
  EXPECT_EQ(extra, 2);
  EXPECT_NE(word.find("cpu-quota"), std::string::npos) << word;
  const auto [missing, name] = refusal({"injector=own-disk", "board=3"});
  EXPECT_EQ(missing, 2);
  EXPECT_NE(name.find("directory"), std::string::npos) << name;
}

}  // namespace
}  // namespace stallproof
