// SPDX-License-Identifier: Apache-2.0
// The whole load on a real file: what it verifies, what it survives, what it refuses.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "harness/base/file.h"
#include "workloads/content/stamp.h"
#include "workloads/fault/retouch.h"
#include "workloads/testing/load_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;

using Words = std::vector<std::string>;

class MappedFaultLoad : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer 12 never returns from a jump out of a signal handler";
#endif
  }
  [[nodiscard]] LoadRig rig(unsigned threads = 2) const {
    return LoadRig("mapped-fault", threads, scratch_.file());
  }
  void overwrite(std::uint64_t offset, std::uint64_t word) const {
    const Fd file(::open(scratch_.file().c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &word, sizeof word, static_cast<off_t>(offset)), 8);
  }
  std::uint64_t word_at(std::uint64_t offset) const {
    const Fd file(::open(scratch_.file().c_str(), O_RDONLY | O_CLOEXEC));
    std::uint64_t word = 0;
    EXPECT_EQ(::pread(file.get(), &word, sizeof word, static_cast<off_t>(offset)), 8);
    return word;
  }
  const TestDirectory scratch_;
};

TEST_F(MappedFaultLoad, ArmedFaultsBeginWhenTheRunIsArmed) {
  LoadRig load = rig();
  ASSERT_TRUE(load.prepare({"file-size=256KiB", "fault-begin=armed"}));
  load.start();
  ::poll(nullptr, 0, 30);
  EXPECT_EQ(load.totals().ops, 0U);
  load.board().header().service.armed_ns.store(monotonic_now());
  EXPECT_TRUE(load.until_ops(10));
}

TEST_F(MappedFaultLoad, PartsOfOneFileAreDisjoint) {
  LoadRig first = rig(), second = rig();
  for (const auto& [load, part] : {std::pair{&first, "1/2"}, std::pair{&second, "2/2"}}) {
    const auto prepared =
        load->prepare({"file-size=512KiB", "fault-writes=50", std::string("file-part=") + part});
    ASSERT_TRUE(prepared) << prepared.error().what;
  }
  first.start();
  second.start();
  EXPECT_TRUE(first.until_ops(300) && second.until_ops(300));
  for (LoadRig* const each : {&first, &second}) {
    const LoadTotals totals = each->stop();
    EXPECT_EQ(totals.errors + totals.mismatches, 0U);
  }
}

TEST_F(MappedFaultLoad, WhatChangesTheFileIsRefusedWhereOthersHaveParts) {
  LoadRig load = rig();
  for (const char* const retouch : {"fault-retouch=hole", "fault-retouch=truncate"}) {
    const auto refused = load.prepare({"file-size=512KiB", "file-part=1/2", retouch});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("under those who share it"), std::string::npos)
        << refused.error().what;
  }
}

TEST_F(MappedFaultLoad, EveryRetouchInEveryWayFindsWhatItWrote) {
  for (const Retouch& retouch : retouch_table())
    for (const char* verify : {"page", "word"})
      for (const char* writes : {"0", "50", "100"})
        for (const char* order : {"sequential", "random", "strided"}) {
          const std::string name(retouch.name);
          SCOPED_TRACE(name + " " + verify + " " + writes + " " + order);
          LoadRig load = rig();
          const auto prepared = load.prepare(
              {"file-size=256KiB", "fault-window=4", "fault-stride=2", "fault-retouch=" + name,
               std::string("verify=") + verify, std::string("fault-writes=") + writes,
               std::string("fault-order=") + order});
          ASSERT_TRUE(prepared) << prepared.error().what;
          load.start();
          EXPECT_TRUE(load.until_ops(200));
          const LoadTotals totals = load.stop();
          EXPECT_EQ(totals.mismatches, 0U);
          if (!retouch.drops_all) {
            EXPECT_EQ(totals.errors + totals.sigbus, 0U);
          }
        }
}

TEST_F(MappedFaultLoad, PrivateWritesNeverReachTheFile) {
  for (const char* retouch : {"pageout", "dontneed", "remap", "external", "none"}) {
    SCOPED_TRACE(retouch);
    LoadRig load = rig();
    ASSERT_TRUE(load.prepare({"file-size=64KiB", "fault-mapping=private", "fault-writes=50",
                              std::string("fault-retouch=") + retouch}));
    load.start();
    EXPECT_TRUE(load.until_ops(500));
    EXPECT_EQ(load.stop().mismatches, 0U);
    for (std::uint64_t page = 0; page < 16; ++page)
      EXPECT_EQ(word_at(page * kPage), pattern_word(page * kPage));
  }
}

TEST_F(MappedFaultLoad, WrongContentIsFound) {
  for (const char* verify : {"verify=page", "verify=word"}) {
    SCOPED_TRACE(verify);
    LoadRig load = rig(1);
    ASSERT_TRUE(load.prepare({"file-size=64KiB", verify}));
    load.start();
    EXPECT_TRUE(load.until_ops(100));
    EXPECT_EQ(load.totals().mismatches, 0U);
    overwrite(3 * kPage, 0x1234);
    EXPECT_TRUE(load.until([](const LoadTotals& now) { return now.mismatches > 0; }));
    load.stop();
    overwrite(3 * kPage, pattern_word(3 * kPage));
  }
}

TEST_F(MappedFaultLoad, DamageBehindTheFirstWordIsFoundByWholePages) {
  LoadRig load = rig(1);
  ASSERT_TRUE(load.prepare({"file-size=64KiB"}));
  overwrite(5 * kPage + 4088, 0);
  load.start();
  EXPECT_TRUE(load.until([](const LoadTotals& now) { return now.mismatches > 0; }));
}

TEST_F(MappedFaultLoad, LostWriteIsFoundAndNamed) {
  LoadRig load = rig(1);
  ASSERT_TRUE(load.prepare({"file-size=64KiB", "fault-writes=50", "fault-retouch=dontneed"}));
  ::testing::internal::CaptureStderr();
  load.start();
  EXPECT_TRUE(load.until_ops(500));  // by now each page has been written
  EXPECT_NE(word_at(7 * kPage), pattern_word(7 * kPage));
  // Again and again: the load may be about to write the page.
  EXPECT_TRUE(load.until([this](const LoadTotals& now) {
    overwrite(7 * kPage, pattern_word(7 * kPage));
    return now.mismatches > 0;
  }));
  load.stop();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("at offset 28672 holds the file's own content in place of write"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("a lost write"), std::string::npos) << said;
}

TEST_F(MappedFaultLoad, TruncatedFileIsSigbusCountedAndAttributed) {
  for (const char* verify : {"verify=page", "verify=word"}) {
    SCOPED_TRACE(verify);
    LoadRig load = rig(1);
    ASSERT_TRUE(load.prepare({"file-size=64KiB", verify, "fault-order=sequential"}));
    ::testing::internal::CaptureStderr();
    load.start();
    EXPECT_TRUE(load.until_ops(50));
    ASSERT_EQ(::truncate(scratch_.file().c_str(), 15 * kPage), 0);
    EXPECT_TRUE(load.until([](const LoadTotals& now) { return now.sigbus >= 7; }));
    const LoadTotals totals = load.stop();
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_GE(totals.errors, 7U);
    EXPECT_EQ(totals.mismatches, 0U);
    EXPECT_NE(said.find("at offset 61440: the file ends before it now"), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 5) << said;
    ASSERT_EQ(::truncate(scratch_.file().c_str(), 0), 0);
  }
}

TEST_F(MappedFaultLoad, ProtectedWindowFaultsAndIsWrittenAllTheSame) {
  LoadRig load = rig(1);
  ASSERT_TRUE(load.prepare({"file-size=64KiB", "fault-writes=100", "fault-protect-every=2",
                            "fault-window=8", "fault-retouch=none", "verify=word"}));
  load.start();
  EXPECT_TRUE(load.until_ops(2000));
  const LoadTotals totals = load.stop();
  EXPECT_EQ(totals.errors + totals.mismatches, 0U);
  // Every second write finds the window protected: as many mprotects to and fro as writes.
  EXPECT_LT(totals.bytes / kPage, totals.ops * 6 / 10);
}

TEST_F(MappedFaultLoad, SyncedWritesAreInTheFile) {
  for (const char* how : {"sync", "async"}) {
    LoadRig load = rig();
    ASSERT_TRUE(load.prepare({"file-size=64KiB", "fault-writes=100", "fault-retouch=remap",
                              "fault-order=sequential", "fault-msync-every=3",
                              std::string("fault-msync=") + how}));
    load.start();
    // Each thread writes pages of its own, and one may begin late.
    EXPECT_TRUE(load.until([&load](const LoadTotals&) {
      return load.board().slots()[0].ops.load() > 500 && load.board().slots()[1].ops.load() > 500;
    }));
    const LoadTotals totals = load.stop();
    EXPECT_EQ(totals.errors + totals.mismatches, 0U);
    EXPECT_NE(word_at(5 * kPage), pattern_word(5 * kPage));
    EXPECT_TRUE(generation_of(0, word_at(0))) << "the first page says whose file it is";
  }
}

TEST_F(MappedFaultLoad, EveryTouchOfARowCounts) {
  LoadRig load = rig(1);
  ASSERT_TRUE(load.prepare({"file-size=256KiB", "fault-order=sequential", "fault-window=64",
                            "fault-retouch=dontneed", "verify=word"}));
  load.start();
  EXPECT_TRUE(load.until_ops(20000));
  const LoadTotals totals = load.stop();
  HistogramSum latency;
  latency.add(load.board().slots()[0].latency);
  EXPECT_EQ(latency.total(), totals.ops);
  // 64 touches and one drop for each window; the last one may be unfinished.
  EXPECT_NEAR(static_cast<double>(totals.bytes / kPage), static_cast<double>(totals.ops) * 64 / 65,
              65);
}

TEST_F(MappedFaultLoad, WhatDoesNotGoTogetherIsRefusedInOneLine) {
  const struct {
    Words words;
    const char* named;
  } cases[] = {
      {{"fault-retouch=swap"}, "fault-retouch: 'swap'"},
      {{"fault-order=up"}, "fault-order"},
      {{"fault-writes=101"}, "fault-writes: 101"},
      {{"fault-window=0"}, "fault-window: 0"},
      {{"fault-stride=0"}, "fault-stride: 0"},
      {{"file-size=1000"}, "file-size: 1000"},
      {{"verify=some"}, "verify"},
      {{"fault-mapping=private", "fault-retouch=hole"}, "fault-retouch: hole changes the file"},
      {{"fault-writes=1", "hot-pages=4"}, "hot-pages"},
      {{"fault-msync=sync"}, "fault-msync: nothing is written"},
      {{"fault-msync=sync", "fault-writes=5", "fault-mapping=private"}, "fault-msync: a private"},
      {{"fault-protect-every=4"}, "fault-protect-every: nothing is written"},
      {{"fault-mlock=on"}, "fault-mlock"},
      {{"file-size=64KiB", "fault-window=17"}, "fault-window=17 needs 17"},
      {{"file-size=64KiB", "fault-window=8", "fault-writes=5"}, "each of 2 threads"},
  };
  for (const auto& wrong : cases) {
    LoadRig load = rig();
    const auto refused = load.prepare(wrong.words);
    ASSERT_FALSE(refused) << wrong.named;
    EXPECT_NE(refused.error().what.find(wrong.named), std::string::npos) << refused.error().what;
    EXPECT_EQ(refused.error().what.find('\n'), std::string::npos);
  }
}

TEST_F(MappedFaultLoad, SecondWriterOfAFileIsRefused) {
  LoadRig one = rig(), two = rig();
  ASSERT_TRUE(one.prepare({"file-size=64KiB", "fault-writes=5"}));
  const auto refused = two.prepare({"file-size=64KiB"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("in use by another load that writes"), std::string::npos)
      << refused.error().what;
}

}  // namespace
}  // namespace stallproof
