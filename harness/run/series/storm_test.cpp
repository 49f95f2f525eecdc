// SPDX-License-Identifier: Apache-2.0
// However often it stalls, disk and memory are bounded and nothing grave is forgotten.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/run/incident_book.h"
#include "harness/run/observer_report.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class StormTest : public testing::Test {
 protected:
  explicit StormTest(EvidenceLimits limits = {})
      : folder_(make_folder()),
        lens_(*LiveLens::open({})),
        run_(*RunDir::create({.out = folder_, .name_stem = "storm"})),
        evidence_(*Evidence::create()),
        book_({.lens = lens_,
               .run = run_,
               .evidence = evidence_,
               .load_names = [] { return std::vector<std::string>{"direct"}; },
               .conclusive = [](const Explanation& each) { return each.cycle.has_value(); },
               .limits = limits}) {}
  ~StormTest() override { fs::remove_all(folder_); }
  static std::string make_folder() {
    std::string name = (fs::temp_directory_path() / "storm-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  // One stall, from its opening to its end.
  void stall(Nanos lasts, bool explained) {
    now_ += 10 * kSecond;
    ++watch_number_;
    book_.open({.kind = WatchEventKind::incident_opened,
                .incident = watch_number_,
                .at_ns = now_ + kSecond,
                .since_ns = now_});
    if (explained) book_.take(fixture::reported_stall());
    book_.decide_evidence(now_ + 2 * kSecond, false);
    book_.update({.kind = WatchEventKind::incident_resolved,
                  .incident = watch_number_,
                  .at_ns = now_ + lasts});
  }
  [[nodiscard]] std::size_t folders_with(const std::string& file) const {
    std::size_t count = 0;
    for (const auto& folder : fs::directory_iterator(folder_ + "/incidents"))
      count += fs::exists(folder.path() / file) ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::uintmax_t bytes() const {
    std::uintmax_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file()) sum += entry.file_size();
    return sum;
  }

  std::string folder_;
  LiveLens lens_;
  RunDir run_;
  Evidence evidence_;
  IncidentBook book_;
  Nanos now_ = 100 * kSecond;
  std::uint32_t watch_number_ = 0;
};

TEST_F(StormTest, OfASignatureTheFirstEightAreKeptAndTheRestCounted) {
  for (int i = 0; i < 20; ++i) stall(2 * kSecond, true);
  EXPECT_EQ(folders_with("explanation.json"), 8U);
  EXPECT_EQ(folders_with("before"), 8U);
  EXPECT_EQ(folders_with("incident.json"), 20U);
  const auto last = read_file(folder_ + "/incidents/020/incident.json");
  ASSERT_TRUE(last);
  EXPECT_NE(last->find("\"evidence\": \"counted\""), std::string::npos) << *last;
  EXPECT_NE(last->find("mmap_lock_cycle:"), std::string::npos) << *last;
  EXPECT_NE(read_file(folder_ + "/incidents/001/incident.json")->find("\"evidence\": \"full\""),
            std::string::npos);
}

TEST_F(StormTest, WhatHasNoExplanationIsASignatureOfItsOwn) {
  for (int i = 0; i < 12; ++i) stall(2 * kSecond, false);
  for (int i = 0; i < 3; ++i) stall(2 * kSecond, true);
  EXPECT_EQ(folders_with("before"), 8U + 3U);
  EXPECT_EQ(folders_with("explanation.json"), 3U);
}

TEST_F(StormTest, AnExplanationThatComesLateStillCountsBySignature) {
  for (int i = 0; i < 40; ++i) {
    ++watch_number_;
    now_ += 10 * kSecond;
    book_.open({.kind = WatchEventKind::incident_opened,
                .incident = watch_number_,
                .at_ns = now_,
                .since_ns = now_ - kSecond});
    book_.decide_evidence(now_ + kSecond, false);  // nobody knows yet what it is
    book_.take(fixture::reported_stall());
    book_.resolve(now_ + 2 * kSecond);
  }
  EXPECT_LE(folders_with("explanation.json"), 16U);
  EXPECT_GE(folders_with("explanation.json"), 8U);
}

TEST_F(StormTest, OneThatFailsIsWorthItsEvidenceHoweverManyResolvedBefore) {
  for (int i = 0; i < 20; ++i) stall(2 * kSecond, true);
  ++watch_number_;
  book_.open({.kind = WatchEventKind::incident_opened, .incident = watch_number_, .at_ns = now_});
  book_.take(fixture::reported_stall());
  ASSERT_EQ(book_.standing()->kept, Kept::counted);
  book_.decide_evidence(now_ + 5 * kSecond, false);
  EXPECT_EQ(book_.standing()->kept, Kept::counted);
  book_.decide_evidence(now_ + 31 * kSecond, true);
  EXPECT_EQ(book_.standing()->kept, Kept::full);
  EXPECT_TRUE(fs::exists(folder_ + "/incidents/021/explanation.json"));
  EXPECT_TRUE(fs::exists(folder_ + "/incidents/021/before"));
}

class SmallStormTest : public StormTest {
 protected:
  SmallStormTest()
      : StormTest({.per_signature = 2, .signatures = 4, .listed = 50, .dropouts = 10}) {}
};

TEST_F(SmallStormTest, ThousandsOfStallsStayWithinFixedDiskAndMemory) {
  for (int i = 0; i < 60; ++i) stall(2 * kSecond, i % 10 == 0);
  const std::uintmax_t after_60 = bytes();
  for (int i = 0; i < 4000; ++i) stall(2 * kSecond, i % 50 == 0);
  EXPECT_EQ(bytes(), after_60);
  EXPECT_EQ(book_.incidents().size(), 50U);
  EXPECT_EQ(book_.unlisted().stalls, 4010U);
  EXPECT_EQ(book_.unlisted().longest_ns, 2 * kSecond);
  for (const IncidentRecord& incident : book_.incidents()) EXPECT_FALSE(incident.snapshot);
}

TEST_F(SmallStormTest, TheGravestStayListedAndTheFirst) {
  stall(2 * kSecond, false);
  for (int i = 0; i < 100; ++i) stall((i == 17 ? 90 : 2) * kSecond, false);
  const auto& listed = book_.incidents();
  EXPECT_EQ(listed.front().number, 1U);
  EXPECT_TRUE(std::any_of(listed.begin(), listed.end(),
                          [](const IncidentRecord& each) { return each.failing(60 * kSecond); }));
  EXPECT_EQ(book_.find(2), nullptr);
}

TEST_F(SmallStormTest, TheVerdictSaysInOneLineWhatIsNotListed) {
  Verdict verdict;
  note_unlisted(verdict, book_.unlisted());
  EXPECT_TRUE(verdict.reasons.empty());  // a quiet run
  for (int i = 0; i < 60; ++i) stall(2 * kSecond, false);
  for (std::uint32_t i = 0; i < 15; ++i)
    book_.note_dropout({.kind = WatchEventKind::dropout_begin, .load = i, .since_ns = now_});
  note_unlisted(verdict, book_.unlisted());
  ASSERT_EQ(verdict.reasons.size(), 2U);
  EXPECT_TRUE(verdict.reasons[0].starts_with("10 more stalls")) << verdict.reasons[0];
  EXPECT_EQ(verdict.stalls_not_listed, 10U);
  EXPECT_EQ(verdict.dropouts_not_listed, 5U);
}

// What another program reads of it afterwards.
TEST_F(SmallStormTest, CountedIncidentsAreReadBackLikeAnyOther) {
  for (int i = 0; i < 5; ++i) stall(2 * kSecond, true);
  const auto run = read_run(folder_);
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->problems.empty()) << run->problems.front();
  ASSERT_EQ(run->incidents.size(), 5U);
  EXPECT_EQ(run->incidents[4].signature, run->incidents[0].signature);
  EXPECT_TRUE(run->incidents[0].explanation);
  EXPECT_FALSE(run->incidents[4].explanation);
}

}  // namespace
}  // namespace stallproof
