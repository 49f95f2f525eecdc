// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>

#include "workloads/content/stamp.h"
#include "workloads/testing/load_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;

class DirectIoLoad : public ::testing::Test {
 protected:
  [[nodiscard]] LoadRig rig(unsigned threads = 2) const {
    return LoadRig("direct-io", threads, scratch_.file());
  }
  // tmpfs knows O_DIRECT since 6.6.
  void prepare(LoadRig& load, std::vector<std::string> words) {
    words.emplace_back("direct=auto");
    const auto prepared = load.prepare(words);
    ASSERT_TRUE(prepared) << prepared.error().what;
  }
  void overwrite(std::uint64_t offset, std::uint64_t word) const {
    const Fd file(::open(scratch_.file().c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &word, sizeof word, static_cast<off_t>(offset)), 8);
  }
  const TestDirectory scratch_;
};

TEST_F(DirectIoLoad, ReadsWhatItWrote) {
  for (const char* size : {"512", "4KiB", "64KiB"})
    for (const char* percent : {"0", "70", "100"})
      for (const char* order : {"random", "sequential"}) {
        SCOPED_TRACE(std::string(size) + " " + percent + " " + order);
        LoadRig load = rig();
        ASSERT_NO_FATAL_FAILURE(prepare(
            load, {"io-file-size=1MiB", std::string("io-size=") + size,
                   std::string("io-read-percent=") + percent, std::string("io-order=") + order}));
        load.start();
        EXPECT_TRUE(load.until_ops(300));
        const LoadTotals totals = load.stop();
        EXPECT_EQ(totals.errors + totals.mismatches, 0U);
      }
}

// Two loads as two nodes would have them: each in its own part, neither finds anything wrong.
TEST_F(DirectIoLoad, PartsOfOneFileAreDisjoint) {
  LoadRig first = rig(), second = rig();
  ASSERT_NO_FATAL_FAILURE(prepare(first, {"io-file-size=2MiB", "file-part=1/2"}));
  ASSERT_NO_FATAL_FAILURE(prepare(second, {"io-file-size=2MiB", "file-part=2/2"}));
  first.start();
  second.start();
  EXPECT_TRUE(first.until_ops(500) && second.until_ops(500));
  for (LoadRig* const each : {&first, &second}) {
    const LoadTotals totals = each->stop();
    EXPECT_EQ(totals.errors + totals.mismatches, 0U);
  }
}

TEST_F(DirectIoLoad, APartIsRefusedToASecondLoad) {
  LoadRig first = rig(), second = rig();
  ASSERT_NO_FATAL_FAILURE(prepare(first, {"io-file-size=1MiB", "file-part=1/2"}));
  const auto refused = second.prepare({"io-file-size=1MiB", "file-part=1/2", "direct=auto"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("bytes 0 to 524288 of"), std::string::npos)
      << refused.error().what;
}

TEST_F(DirectIoLoad, ManyWritersAcceptEachOthersWritesAndNothingElse) {
  LoadRig first = rig(1), second = rig(1);
  const std::vector<std::string> words{"io-file-size=64KiB", "file-writers=many",
                                       "io-read-percent=50"};
  ASSERT_NO_FATAL_FAILURE(prepare(first, words));
  ASSERT_NO_FATAL_FAILURE(prepare(second, words));
  ::testing::internal::CaptureStderr();
  first.start();
  second.start();
  EXPECT_TRUE(first.until_ops(2000) && second.until_ops(2000));
  EXPECT_EQ(second.stop().mismatches, 0U);
  EXPECT_TRUE(first.until([this](const LoadTotals& now) {
    overwrite(9 * kPage + 8, 0x5a5a);
    return now.mismatches > 0;
  }));
  first.stop();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("at offset 36872 was never written there"), std::string::npos) << said;
}

TEST_F(DirectIoLoad, LostWriteIsFoundAndNamed) {
  LoadRig load = rig(1);
  ASSERT_NO_FATAL_FAILURE(prepare(load, {"io-file-size=64KiB", "io-read-percent=50"}));
  ::testing::internal::CaptureStderr();
  load.start();
  EXPECT_TRUE(load.until_ops(500));
  // Again and again: the next I/O there may be a write, which mends it.
  EXPECT_TRUE(load.until([this](const LoadTotals& now) {
    overwrite(9 * kPage + 8, stamp_word(9 * kPage + 8, 0));
    return now.mismatches > 0;
  }));
  load.stop();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("at offset 36872 holds the file's own content in place of write"),
            std::string::npos)
      << said;
}

TEST_F(DirectIoLoad, ShortTransfersAreErrors) {
  LoadRig load = rig(1);
  ASSERT_NO_FATAL_FAILURE(prepare(load, {"io-file-size=64KiB", "io-read-percent=100"}));
  ::testing::internal::CaptureStderr();
  ASSERT_EQ(::truncate(scratch_.file().c_str(), 15 * kPage), 0);
  load.start();
  EXPECT_TRUE(load.until([](const LoadTotals& now) { return now.errors > 0; }));
  const LoadTotals totals = load.stop();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(totals.mismatches, 0U);
  EXPECT_NE(said.find("read of 4096 bytes at offset 61440"), std::string::npos) << said;
  EXPECT_NE(said.find("only 0 were transferred"), std::string::npos) << said;
}

TEST_F(DirectIoLoad, KeepsToItsSchedule) {
  LoadRig load = rig(2);
  ASSERT_NO_FATAL_FAILURE(prepare(load, {"io-file-size=64KiB", "io-rate=200"}));
  const Nanos began = monotonic_now();
  load.start();
  EXPECT_TRUE(load.until_ops(80));  // 40 for each thread: the first after 100 ms, then each 5 ms
  const double seconds = static_cast<double>(monotonic_now() - began) / kSecond;
  load.stop();
  EXPECT_GT(seconds, 0.28);
}

TEST_F(DirectIoLoad, BadParametersAreRefusedByName) {
  for (const auto& [word, named] : std::vector<std::pair<std::string, std::string>>{
           {"io-size=100", "io-size: 100"},
           {"io-size=0", "io-size: 0"},
           {"io-size=1g", "io-size"},
           {"io-file-size=5000", "io-file-size: 5000"},
           {"io-read-percent=101", "io-read-percent: 101"},
           {"io-order=up", "io-order"},
           {"io-rate=fast", "io-rate"},
           {"io-every=often", "io-every"},
           {"direct=maybe", "direct"},
           {"io-file-size=8KiB", "a larger io-file-size"}}) {
    LoadRig load = rig();
    const auto refused = load.prepare({word});
    ASSERT_FALSE(refused) << word;
    EXPECT_NE(refused.error().what.find(named), std::string::npos) << refused.error().what;
  }
}

TEST_F(DirectIoLoad, NeverWritesToTheFileOfAnotherLoad) {
  LoadRig mapped("mapped-fault", 1, scratch_.file());
  ASSERT_TRUE(mapped.prepare({"file-size=64KiB"}));
  LoadRig direct = rig();
  const auto refused = direct.prepare({"io-file-size=64KiB"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("in use by another load"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
