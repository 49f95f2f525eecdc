// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_news.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/detect/detector.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

class Notes final : public RunListener {
 public:
  void on_stall(const StallNews& news) override { stalls.push_back(news); }
  void on_explained(const StallNews& news) override { explained.push_back(news); }
  void on_resolved(const StallNews& news) override { resolved.push_back(news); }
  void on_dropout(const DropoutNews& news) override { dropouts.push_back(news); }

  std::vector<StallNews> stalls, explained, resolved;
  std::vector<DropoutNews> dropouts;
};

// A book over a real run directory and a real lens, with one who listens.
class IncidentNewsTest : public testing::Test {
 protected:
  IncidentNewsTest() { feed_.add(notes_); }
  ~IncidentNewsTest() override { std::filesystem::remove_all(folder_); }

  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "news-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  static WatchEvent event(WatchEventKind kind, Nanos at) {
    return {.kind = kind,
            .incident = 7,
            .kinds = 1U << static_cast<std::uint32_t>(FindingKind::no_progress),
            .at_ns = at,
            .since_ns = 11 * kSecond,
            .stalled = 2};
  }

  std::string folder_ = make_folder();
  LiveLens lens_{*LiveLens::open({})};
  RunDir run_{*RunDir::create({.out = folder_, .name_stem = "news"})};
  Evidence evidence_{*Evidence::create()};
  RunClock clock_{.monotonic_ns = 10 * kSecond};
  Notes notes_;
  RunFeed feed_;
  IncidentBook book_{{.lens = lens_,
                      .run = run_,
                      .evidence = evidence_,
                      .load_names =
                          [] {
                            return std::vector<std::string>{"reader", "writer"};
                          },
                      .conclusive = [](const Explanation& each) { return each.cycle.has_value(); },
                      .feed = &feed_,
                      .clock = &clock_}};
};

TEST_F(IncidentNewsTest, StallIsToldWithItsLoadsAndItsTimesSinceTheStart) {
  book_.open(event(WatchEventKind::incident_opened, 12 * kSecond));
  ASSERT_EQ(notes_.stalls.size(), 1U);
  const StallNews& news = notes_.stalls[0];
  EXPECT_EQ(news.id, "001");
  EXPECT_EQ(news.stall_class, "unknown");
  EXPECT_EQ(news.loads, std::vector<std::string>{"writer"});
  EXPECT_EQ(news.sources, std::vector<std::string>{"no-progress"});
  EXPECT_DOUBLE_EQ(news.onset_ms, 1000);
  EXPECT_DOUBLE_EQ(news.detected_ms, 2000);
  EXPECT_FALSE(news.resolved_ms);
  EXPECT_TRUE(news.summary.empty());
  EXPECT_EQ(news.path, "incidents/001");
}

TEST_F(IncidentNewsTest, ExplanationIsToldOnceAndAgainOnlyWhenItIsAnother) {
  book_.open(event(WatchEventKind::incident_opened, 12 * kSecond));
  book_.take(LockSnapshot{});
  book_.take(LockSnapshot{});
  ASSERT_EQ(notes_.explained.size(), 1U);
  book_.take(fixture::reported_stall());
  book_.take(fixture::reported_stall());
  ASSERT_EQ(notes_.explained.size(), 2U);
  EXPECT_TRUE(notes_.explained[1].in_circle);
  EXPECT_EQ(notes_.explained[1].stall_class, "mmap_lock_cycle");
  EXPECT_FALSE(notes_.explained[1].signature.empty());
  EXPECT_FALSE(notes_.explained[1].summary.empty());
  EXPECT_EQ(notes_.stalls.size(), 1U);
}

TEST_F(IncidentNewsTest, EndIsToldHoweverItWasSeen) {
  book_.open(event(WatchEventKind::incident_opened, 12 * kSecond));
  book_.update(event(WatchEventKind::incident_extended, 13 * kSecond));
  EXPECT_TRUE(notes_.resolved.empty());
  book_.update(event(WatchEventKind::incident_resolved, 14 * kSecond));
  ASSERT_EQ(notes_.resolved.size(), 1U);
  EXPECT_DOUBLE_EQ(*notes_.resolved[0].resolved_ms, 4000);
  book_.open_by_cycle(15 * kSecond, 16 * kSecond);
  book_.resolve(17 * kSecond);
  ASSERT_EQ(notes_.resolved.size(), 2U);
  EXPECT_EQ(notes_.resolved[1].id, "002");
}

TEST_F(IncidentNewsTest, DropoutIsToldAtBothItsEnds) {
  WatchEvent dropout{.kind = WatchEventKind::dropout_begin,
                     .load = 0,
                     .at_ns = 13 * kSecond,
                     .since_ns = 12 * kSecond,
                     .ratio = 0.05};
  book_.note_dropout(dropout);
  dropout.kind = WatchEventKind::dropout_end;
  dropout.at_ns = 15 * kSecond;
  book_.note_dropout(dropout);
  ASSERT_EQ(notes_.dropouts.size(), 2U);
  EXPECT_EQ(notes_.dropouts[0].workload, "reader");
  EXPECT_FALSE(notes_.dropouts[0].end_ms);
  EXPECT_DOUBLE_EQ(notes_.dropouts[1].start_ms, 2000);
  EXPECT_DOUBLE_EQ(*notes_.dropouts[1].end_ms, 5000);
}

TEST_F(IncidentNewsTest, RunIsToldWithItsPlaceAndItsMachine) {
  const RunNews news = run_news({.command = "run", .target = "/mnt/x"}, run_, clock_);
  EXPECT_EQ(news.command, "run");
  EXPECT_EQ(news.target, "/mnt/x");
  EXPECT_EQ(news.dir, folder_);
  EXPECT_EQ(news.run, run_.id());
  EXPECT_EQ(news.started_ns, 10 * kSecond);
  EXPECT_FALSE(news.node.empty());
  EXPECT_FALSE(news.kernel.empty());
}

}  // namespace
}  // namespace stallproof
