// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kmsg_reader.h"

#include <gtest/gtest.h>

#include <deque>

namespace stallproof {
namespace {

// Plays back records (text) and failures (a negative errno).
class FakeLog : public KmsgSource {
 public:
  struct Step {
    long error = 0;
    std::string record;
  };
  explicit FakeLog(std::deque<Step> steps) : steps_(std::move(steps)) {}
  long read(std::span<char> into) noexcept override {
    if (steps_.empty()) return -EAGAIN;
    const Step step = steps_.front();
    steps_.pop_front();
    if (step.error != 0) return step.error;
    std::copy(step.record.begin(), step.record.end(), into.begin());
    return static_cast<long>(step.record.size());
  }

 private:
  std::deque<Step> steps_;
};

KmsgReader reader_of(std::deque<FakeLog::Step> steps) {
  return KmsgReader(std::make_unique<FakeLog>(std::move(steps)));
}

TEST(KmsgRecord, FieldsAndCallerAreRead) {
  KmsgRecord record;
  ASSERT_TRUE(parse_kmsg(
      "3,1627,40311380557,-,caller=T38;INFO: task java:2821 blocked\n SUBSYSTEM=x\n", record));
  EXPECT_EQ(record.level, 3U);
  EXPECT_TRUE(record.kernel);
  EXPECT_EQ(record.sequence, 1627U);
  EXPECT_EQ(record.stamp_ns, 40311380557000U);
  EXPECT_EQ(record.caller(), "T38");
  EXPECT_EQ(record.text(), "INFO: task java:2821 blocked");
}

TEST(KmsgRecord, LineWrittenByAProcessIsNotTheKernels) {
  KmsgRecord record;
  ASSERT_TRUE(
      parse_kmsg("12,5,1,-;INFO: task java:1 blocked for more than 120 seconds.\n", record));
  EXPECT_FALSE(record.kernel);
  EXPECT_EQ(record.level, 4U);
}

TEST(KmsgRecord, EscapesAreUndoneAndBrokenOnesKept) {
  KmsgRecord record;
  ASSERT_TRUE(parse_kmsg("6,1,1,-;a\\x0ab\\x5cc \\xzz \\x4\n", record));
  EXPECT_EQ(record.text(), "a\nb\\c \\xzz \\x4");
}

TEST(KmsgRecord, LongTextIsCutAndSaysSo) {
  KmsgRecord record;
  ASSERT_TRUE(parse_kmsg("6,1,1,-;" + std::string(3000, 'x') + "\n", record));
  EXPECT_TRUE(record.cut);
  EXPECT_EQ(record.text().size(), 1024U);
  ASSERT_TRUE(parse_kmsg("6,2,1,-;short\n", record));
  EXPECT_FALSE(record.cut);
}

TEST(KmsgRecord, OtherTextIsNoRecord) {
  KmsgRecord record;
  EXPECT_FALSE(parse_kmsg("", record));
  EXPECT_FALSE(parse_kmsg("[12.3] no prefix", record));
  EXPECT_FALSE(parse_kmsg("x,1,2,-;text\n", record));
}

TEST(KmsgRing, KeepsTheNewestAndCountsTheRest) {
  KmsgRing ring(3);
  for (std::uint64_t i = 1; i <= 5; ++i) ring.push().sequence = i;
  ASSERT_EQ(ring.size(), 3U);
  EXPECT_EQ(ring[0].sequence, 3U);
  EXPECT_EQ(ring[2].sequence, 5U);
  EXPECT_EQ(ring.overwritten(), 2U);
  ring.clear();
  ring.push().sequence = 6;
  EXPECT_EQ(ring[0].sequence, 6U);
}

TEST(KmsgReader, OverrunIsReportedNotFatal) {
  KmsgReader reader = reader_of(
      {{0, "6,10,1,-;one\n"}, {-EPIPE, {}}, {0, "6,15,2,-;two\n"}, {0, "6,16,3,-;three\n"}});
  KmsgRing ring(8);
  EXPECT_EQ(reader.drain(ring), 3U);
  EXPECT_EQ(reader.lost(), 4U);
  EXPECT_EQ(ring[2].text(), "three");
}

TEST(KmsgReader, QuietLogLosesNothing) {
  KmsgReader reader = reader_of({{0, "6,10,1,-;one\n"}, {0, "6,11,2,-;two\n"}});
  KmsgRing ring(8);
  EXPECT_EQ(reader.drain(ring), 2U);
  EXPECT_EQ(reader.drain(ring), 0U);
  EXPECT_EQ(reader.lost(), 0U);
  EXPECT_EQ(reader.unreadable(), 0U);
}

TEST(KmsgReader, OverrunBeforeTheFirstRecordCountsToo) {
  KmsgReader reader = reader_of({{-EPIPE, {}}, {0, "6,500,1,-;one\n"}});
  KmsgRing ring(8);
  EXPECT_EQ(reader.drain(ring), 1U);
  EXPECT_EQ(reader.lost(), 1U);
}

TEST(KmsgReader, TooLongAndBrokenRecordsAreCountedAndPassed) {
  KmsgReader reader =
      reader_of({{-EINVAL, {}}, {-EINTR, {}}, {0, "garbage"}, {0, "6,3,1,-;good\n"}});
  KmsgRing ring(8);
  EXPECT_EQ(reader.drain(ring), 1U);
  EXPECT_EQ(reader.unreadable(), 2U);
  EXPECT_EQ(ring[0].text(), "good");
}

TEST(KmsgReader, LimitEndsADrainAndTheRestComesNextTime) {
  KmsgReader reader = reader_of({{0, "6,1,1,-;a\n"}, {0, "6,2,1,-;b\n"}, {0, "6,3,1,-;c\n"}});
  KmsgRing ring(8);
  EXPECT_EQ(reader.drain(ring, 2), 2U);
  EXPECT_EQ(reader.drain(ring, 2), 1U);
  EXPECT_EQ(reader.lost(), 0U);
}

TEST(KmsgReader, MissingDeviceIsAnErrorThatSaysWhatToTry) {
  const auto reader = KmsgReader::open("/nonexistent/kmsg");
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().what.find("CAP_SYSLOG"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
