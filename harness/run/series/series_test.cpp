// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "harness/base/file.h"
#include "harness/run/plan/load_seconds.h"
#include "harness/run/series/series_recorder.h"
#include "harness/run/vdbench_rows.h"
#include "harness/store/series_read.h"

namespace stallproof {
namespace {

constexpr Nanos kStart = 1000 * kSecond;

// A board of two loads, evidence of no watchdog, and a run directory.
class SeriesTest : public testing::Test {
 protected:
  SeriesTest()
      : folder_(make_folder()),
        run_(*RunDir::create({.out = folder_, .name_stem = "series"})),
        evidence_(*Evidence::create()),
        board_(make_board(8)) {}
  ~SeriesTest() override { std::filesystem::remove_all(folder_); }

  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "series-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  static Board make_board(std::uint32_t threads) {
    const std::array<Board::LoadSpec, 2> loads{{{"direct", threads}, {"maps", 1}}};
    return std::move(*Board::create(loads, 1));
  }
  static void complete(BoardSlot& slot, std::uint64_t ops, Nanos took) {
    for (std::uint64_t i = 0; i < ops; ++i) slot.latency.record(took);
    slot.ops += ops;
    slot.bytes += ops * 4096;
  }
  SeriesRecorder recorder() {
    return SeriesRecorder({.run = run_, .evidence = evidence_, .board = &board_, .load_names = [] {
                             return std::vector<std::string>{"direct", "maps"};
                           }});
  }
  void look(Nanos at, std::uint64_t ops, std::uint32_t in_flight, Nanos oldest) {
    EvidenceArea& area = evidence_.area();
    ViewRow& row = area.views[area.view_count % kViewRows];
    row.at_ns = at;
    row.ops[0] = ops;
    row.in_flight[0] = in_flight;
    row.oldest_started_ns[0] = oldest;
    ++area.view_count;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    const auto read = read_file(folder_ + "/series/" + name);
    return read ? *read : "absent";
  }

  std::string folder_;
  RunDir run_;
  Evidence evidence_;
  Board board_;
};

TEST_F(SeriesTest, EachSecondHasItsOwnGrowthAndLatencies) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  BoardSlot& slot = board_.slots()[0];
  complete(slot, 100, 50'000);
  complete(slot, 1, 3 * kMillisecond);
  series.serve(kStart + kSecond, {});
  complete(slot, 10, 200'000);
  slot.op_started_ns = kStart + 1500 * kMillisecond;
  series.serve(kStart + 2 * kSecond, {});
  series.close(kStart + 2 * kSecond, {});
  struct Row {
    std::uint64_t ops, bytes, in_flight;
    double p50, max, oldest;
  };
  std::vector<Row> rows;
  std::uint64_t idle = 0;
  read_load_seconds(folder_, [&](const LoadSecond& each) {
    if (each.load == "direct")
      rows.push_back({each.ops, each.bytes, each.in_flight, each.p50_us.value_or(-1),
                      each.max_us.value_or(-1), each.oldest_ms});
    else if (each.ops == 0 && !each.p50_us)
      ++idle;
  });
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].ops, 101U);
  EXPECT_EQ(rows[0].bytes, 101U * 4096);
  EXPECT_NEAR(rows[0].p50, 50, 2);
  EXPECT_NEAR(rows[0].max, 3000, 100);
  EXPECT_EQ(rows[1].ops, 10U);
  // The slow one was of the second before.
  EXPECT_NEAR(rows[1].max, 200, 7);
  EXPECT_EQ(rows[1].in_flight, 1U);
  EXPECT_NEAR(rows[1].oldest, 500, 0.1);
  EXPECT_EQ(idle, 2U);
}

TEST_F(SeriesTest, TheClassesOfASecondHoldAllItsOperations) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  for (Nanos took = 1000; took < kSecond; took *= 2) complete(board_.slots()[1], 3, took);
  series.serve(kStart + kSecond, {});
  series.serve(kStart + 2 * kSecond, {});  // nothing more: no rows
  series.close(kStart + 2 * kSecond, {});
  std::uint64_t sum = 0, rows = 0;
  read_latency_cells(folder_, [&](const LatencyCell& cell) {
    EXPECT_EQ(cell.t_ms, 1000);
    sum += cell.count;
    ++rows;
  });
  EXPECT_EQ(sum, board_.slots()[1].ops.load());
  EXPECT_EQ(rows, sum / 3);
}

// The files grow while it runs: what a killed run would leave.
TEST_F(SeriesTest, RowsAreOnDiskWithinASecond) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  series.serve(kStart + kSecond, {});
  EXPECT_NE(text("loads.csv").find("\n1000,direct,"), std::string::npos) << text("loads.csv");
}

TEST_F(SeriesTest, LoadThatIsNotOursIsToldAsTheWatchdogCountsIt) {
  SeriesRecorder series({.run = run_, .evidence = evidence_, .load_names = [] {
                           return std::vector<std::string>{"fio,1"};
                         }});
  look(kStart, 100, 0, 0);
  series.begin(kStart, kStart);
  look(kStart + 900 * kMillisecond, 175, 2, kStart + 800 * kMillisecond);
  series.serve(kStart + kSecond, {});
  series.close(kStart + kSecond, {});
  EXPECT_NE(text("loads.csv").find("1000,fio_1,75,0,0,,,,2,200.0\n"), std::string::npos)
      << text("loads.csv");
  EXPECT_EQ(text("latency.csv"), "absent");
}

TEST_F(SeriesTest, AnIncidentHasTheMinuteBeforeItAndTenSecondsAfter) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  std::vector<IncidentRecord> incidents;
  Nanos now = kStart;
  std::uint64_t ops = 0;
  const auto run_for = [&](int ticks, std::uint64_t growth) {
    for (int i = 0; i < ticks; ++i) {
      now += 100 * kMillisecond;
      look(now, ops += growth, 4, growth > 0 ? now : kStart + 70 * kSecond);
      series.serve(now, incidents);
    }
  };
  run_for(700, 10);
  run_for(20, 0);
  incidents.push_back({.number = 1, .onset_ns = kStart + 70 * kSecond, .detected_ns = now});
  run_for(5, 0);
  EXPECT_EQ(text("around-001.csv"), "absent");  // not known yet whether it is kept
  incidents[0].kept = Kept::full;
  run_for(25, 0);
  incidents[0].resolved_ns = now;
  run_for(200, 10);
  double first = 1e9, last = 0, standing = 0;
  std::uint64_t rows = 0;
  const SeriesNotes notes = read_around(folder_, "001", [&](const AroundLook& each) {
    if (each.load != "direct") return;
    ++rows;
    first = std::min(first, each.t_ms);
    last = std::max(last, each.t_ms);
    EXPECT_TRUE(each.ops == 10 || each.ops == 0);
    if (each.ops == 0) standing = std::max(standing, each.oldest_ms);
  });
  EXPECT_EQ(notes.bad_lines, 0U);
  EXPECT_NEAR(first, 12'000, 600);  // as far as the ring goes
  EXPECT_NEAR(last, 85'000, 200);
  EXPECT_NEAR(standing, 5000, 1);
  EXPECT_NEAR(static_cast<double>(rows), 730, 6);
  EXPECT_EQ(around_ids(folder_), std::vector<std::string>{"001"});
}

TEST_F(SeriesTest, AnIncidentThatIsOnlyCountedHasNoFile) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  std::vector<IncidentRecord> incidents{
      {.number = 1, .detected_ns = kStart, .kept = Kept::counted}};
  look(kStart + kSecond, 1, 0, 0);
  series.serve(kStart + 2 * kSecond, incidents);
  series.close(kStart + 3 * kSecond, incidents);
  EXPECT_TRUE(around_ids(folder_).empty());
}

TEST_F(SeriesTest, WindowsAreKeptWithWhatTheyAre) {
  SeriesRecorder series = recorder();
  series.begin(kStart, kStart);
  series.note_window(kStart + kSecond, kStart + 3 * kSecond, "injection", "read-error, twice");
  series.close(kStart + 4 * kSecond, {});
  EXPECT_EQ(text("windows.csv"),
            "start_ms,end_ms,kind,text\n1000,3000,injection,\"read-error, twice\"\n");
}

TEST_F(SeriesTest, SecondsKeepTheirFormAndTheLeastOfThem) {
  std::vector<LoadSchedule> always(2);
  LoadSeconds seconds(always, kSecond);
  seconds.start(kStart, board_);
  EXPECT_EQ(seconds.csv_row(kStart), "");
  board_.slots()[0].ops += 5;  // within the warm-up: slow, and does not count
  ASSERT_TRUE(seconds.sample_if_due(kStart + kSecond, board_));
  EXPECT_EQ(LoadSeconds::csv_header(board_), "end_ms,direct,maps\n");
  EXPECT_EQ(seconds.csv_row(kStart), "1000,5,0\n");
  EXPECT_FALSE(seconds.least(0));
  EXPECT_FALSE(seconds.sample_if_due(kStart + 1500 * kMillisecond, board_));
  board_.slots()[0].ops += 70;
  ASSERT_TRUE(seconds.sample_if_due(kStart + 2 * kSecond, board_));
  board_.slots()[0].ops += 90;
  ASSERT_TRUE(seconds.sample_if_due(kStart + 3 * kSecond, board_));
  EXPECT_EQ(seconds.least(0), 70U);
  EXPECT_EQ(seconds.last_rate(0), 90);
}

TEST(VdbenchRowsTaken, AreForgottenAndStillCounted) {
  VdbenchRows rows("unused");
  const std::string header = "tod timestamp Run Interval reqrate rate MB/sec bytes/io read% resp\n";
  rows.feed(header + "11:00:01.000 x rd1 1 9 500 4.0 4096 70 2.5\n", kStart, kStart);
  rows.feed("11:00:04.000 x rd1 4 9 500 4.0 4096 70 2.5\n", kStart, kStart);
  EXPECT_EQ(rows.missing(), 2U);
  const std::string csv = rows.take_csv(0);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  EXPECT_TRUE(rows.rows().empty());
  EXPECT_EQ(rows.take_csv(0), "");
  EXPECT_EQ(rows.missing(), 2U);
}

// A board of 10 000 threads is read in turns, each of them short.
TEST_F(SeriesTest, ManyThreadsAreReadInTurns) {
  Board board = make_board(10'000);
  for (BoardSlot& slot : board.slots()) complete(slot, 1, 100'000);
  LatencyGrowth growth(board);
  while (!growth.advance(LoadRows::kThreadsPerTurn)) continue;  // the first look maps the pages
  int turns = 1;
  while (!growth.advance(LoadRows::kThreadsPerTurn)) ++turns;
  EXPECT_EQ(turns, 20);
  LatencyGrowth::Quantiles each;
  EXPECT_FALSE(growth.quantiles(0, each));  // nothing completed between the two looks
  for (BoardSlot& slot : board.slots()) complete(slot, 1, 100'000);
  while (!growth.advance(LoadRows::kThreadsPerTurn)) continue;
  ASSERT_TRUE(growth.quantiles(0, each));
  EXPECT_NEAR(each.max_us, 100, 3);
  std::uint64_t all = 0;
  growth.each_class(0, [&all](Nanos, std::uint64_t count) { all += count; });
  EXPECT_EQ(all, 10'000U);
}

}  // namespace
}  // namespace stallproof
