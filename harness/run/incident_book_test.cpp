// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_book.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "harness/base/file.h"
#include "harness/detect/detector.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

// A book over a real run directory, a real lens and the evidence of no watchdog.
class Book {
 public:
  explicit Book(const RunFeed* feed = nullptr, std::function<Marked(Nanos)> marked = {})
      : lens_(*LiveLens::open({})),
        run_(*RunDir::create({.out = folder_, .name_stem = "book"})),
        evidence_(*Evidence::create()),
        book({.lens = lens_,
              .run = run_,
              .evidence = evidence_,
              .load_names = [] { return std::vector<std::string>{"fio-1"}; },
              .conclusive = [](const Explanation& each) { return each.cycle.has_value(); },
              .feed = feed,
              .clock = &clock_,
              .marked = std::move(marked)}) {}
  ~Book() { std::filesystem::remove_all(folder_); }
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  IncidentRecord& open() {
    return book.open({.kind = WatchEventKind::incident_opened,
                      .incident = 7,
                      .at_ns = 2 * kSecond,
                      .since_ns = kSecond});
  }
  [[nodiscard]] bool kept(const std::string& file) const {
    return ::access((folder_ + "/incidents/001/" + file).c_str(), F_OK) == 0;
  }
  // How often it is in events.jsonl.
  [[nodiscard]] std::size_t recorded(const std::string& words) const {
    const auto events = read_file(folder_ + "/events.jsonl");
    std::size_t count = 0;
    for (std::size_t at = events ? events->find(words) : std::string::npos; at != std::string::npos;
         at = events->find(words, at + 1))
      ++count;
    return count;
  }

 private:
  std::string folder_ = testing::TempDir() + "incident_book." + std::to_string(::getpid());
  RunClock clock_{.monotonic_ns = 0, .realtime_ns = 0};
  LiveLens lens_;
  RunDir run_;
  Evidence evidence_;

 public:
  IncidentBook book;
};

TEST(IncidentBook, MarkedIncidentFailsOnlyByOutlastingWhatIsAllowed) {
  IncidentRecord incident{.onset_ns = 10 * kSecond, .detected_ns = 11 * kSecond};
  incident.cycle_confirmed = true;
  incident.resolved_ns = 25 * kSecond;
  EXPECT_TRUE(incident.failing(30 * kSecond));
  incident.allowed_ns = 20 * kSecond;
  EXPECT_FALSE(incident.failing(30 * kSecond));
  EXPECT_FALSE(incident.failing_at(30 * kSecond, 5 * kSecond));
  EXPECT_TRUE(incident.failing_at(30 * kSecond + 1, 60 * kSecond));
  incident.allowed_ns = 14 * kSecond;
  EXPECT_TRUE(incident.failing(30 * kSecond));
  incident.allowed_ns = 20 * kSecond;
  incident.resolved_ns.reset();
  EXPECT_TRUE(incident.failing(30 * kSecond));
}

class Heard final : public RunListener {
 public:
  void on_stall(const StallNews& news) override { stalls.push_back(news); }
  void on_dropout(const DropoutNews& news) override { dropouts.push_back(news); }
  std::vector<StallNews> stalls;
  std::vector<DropoutNews> dropouts;
};

// In the window of a mark from 1 s to 5 s.
TEST(IncidentBook, WhoListensHearsAtOnceWhatAMarkAllows) {
  Heard heard;
  RunFeed feed;
  feed.add(heard);
  const std::vector<Mark> marks{
      {.at_ns = kSecond, .lasts_ns = 4 * kSecond, .allow_ns = 20 * kSecond}};
  Book made(&feed, [&marks](Nanos at) { return marked_at(marks, at); });
  EXPECT_TRUE(made.open().marked);
  made.book.resolve(3 * kSecond);
  made.book.open({.kind = WatchEventKind::incident_opened,
                  .incident = 8,
                  .at_ns = 8 * kSecond,
                  .since_ns = 7 * kSecond});
  for (const Nanos since : {2 * kSecond, 6 * kSecond})
    made.book.note_dropout({.kind = WatchEventKind::dropout_begin, .since_ns = since});
  ASSERT_EQ(heard.stalls.size(), 2U);
  EXPECT_EQ(heard.stalls[0].allowed_ms, 20'000);
  EXPECT_FALSE(heard.stalls[1].allowed_ms);
  ASSERT_EQ(heard.dropouts.size(), 2U);
  EXPECT_TRUE(heard.dropouts[0].allowed);
  EXPECT_FALSE(heard.dropouts[1].allowed);
}

TEST(IncidentBook, CircleIsConclusiveOnceAndConfirmedByTheNextLook) {
  Book made;
  made.open();
  EXPECT_EQ(made.book.take(fixture::reported_stall()), IncidentBook::Taken::conclusive);
  EXPECT_TRUE(made.kept("explanation.json"));
  EXPECT_FALSE(made.book.standing()->failing(30 * kSecond) &&
               made.book.standing()->resolved_ns.has_value());
  EXPECT_EQ(made.book.take(fixture::reported_stall()), IncidentBook::Taken::confirmed);
  EXPECT_TRUE(made.book.standing()->cycle_confirmed);
  EXPECT_EQ(made.book.take(fixture::reported_stall()), IncidentBook::Taken::ignored);
}

TEST(IncidentBook, WhatIsSeenOfAnIncidentIsRecordedOnceWithItsLoads) {
  Book made;
  made.open().stalled = 1;
  for (int look = 0; look < 4; ++look) made.book.take(fixture::reported_stall());
  made.book.resolve(5 * kSecond);
  EXPECT_EQ(made.recorded("\"event\":\"stall\""), 1U);
  EXPECT_EQ(made.recorded("\"event\":\"cycle_confirmed\",\"incident\":\"001\""), 1U);
  EXPECT_EQ(made.recorded("\"event\":\"stall_resolved\""), 1U);
  made.book.open({.kind = WatchEventKind::incident_opened,
                  .incident = 8,
                  .at_ns = 8 * kSecond,
                  .since_ns = 7 * kSecond,
                  .stalled = 1});
  EXPECT_EQ(made.recorded("\"incident\":\"002\",\"onset_ms\":7000.0,\"detected_ms\":8000.0,"
                          "\"loads\":[\"fio-1\"]"),
            1U);
}

TEST(IncidentBook, WorseExplanationNeverReplacesACircle) {
  Book made;
  made.open();
  made.book.take(fixture::reported_stall());
  EXPECT_EQ(made.book.take(LockSnapshot{}), IncidentBook::Taken::ignored);
  EXPECT_TRUE(made.book.standing()->explanation->cycle.has_value());
  EXPECT_FALSE(made.book.standing()->cycle_confirmed);
}

TEST(IncidentBook, WhatSupportsAnIncidentIsKeptWithItAndTheMinuteBeforeOnce) {
  Book made;
  IncidentRecord& incident = made.open();
  WatchEvent event{.kind = WatchEventKind::supported,
                   .incident = 7,
                   .kinds = 1U << static_cast<std::uint32_t>(FindingKind::device_inflight),
                   .since_ns = kSecond,
                   .blocked = 3,
                   .subject = {"vdb"}};
  made.book.note_support(event);
  event.incident = 6;  // of an earlier one: too late
  made.book.note_support(event);
  ASSERT_EQ(incident.support.size(), 1U);
  EXPECT_EQ(incident.support[0].what, "vdb");
  EXPECT_EQ(incident.support[0].count, 3U);
  EXPECT_EQ(incident.detectors(), std::vector<std::string>{"device-inflight"});
  EXPECT_TRUE(incident.sources().empty());
  EXPECT_FALSE(made.kept("before/system.csv"));
  made.book.update(
      {.kind = WatchEventKind::incident_resolved, .incident = 7, .at_ns = 3 * kSecond});
  for (const char* file : {"views.csv", "system.csv", "kmsg.txt", "blocked.txt"})
    EXPECT_TRUE(made.kept(std::string("before/") + file)) << file;
}

TEST(IncidentBook, NothingStandsNothingIsTaken) {
  Book made;
  EXPECT_EQ(made.book.take(fixture::reported_stall()), IncidentBook::Taken::ignored);
}

TEST(IncidentBook, ShortStallThatResolvedIsNotFailing) {
  Book made;
  IncidentRecord& incident = made.open();
  made.book.update(
      {.kind = WatchEventKind::incident_resolved, .incident = 7, .at_ns = 3 * kSecond});
  EXPECT_EQ(made.book.standing(), nullptr);
  EXPECT_FALSE(incident.failing(30 * kSecond));
  EXPECT_TRUE(incident.failing(2 * kSecond));
}

TEST(IncidentBook, CircleOpensAnIncidentOfItsOwn) {
  Book made;
  made.book.open_by_cycle(kSecond, 3 * kSecond);
  made.book.take(fixture::reported_stall());
  const auto sources = made.book.standing()->sources();
  EXPECT_EQ(sources, std::vector<std::string>{"lock-cycle"});
}

}  // namespace
}  // namespace stallproof
