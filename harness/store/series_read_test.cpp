// SPDX-License-Identifier: Apache-2.0
#include "harness/store/series_read.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/base/file.h"
#include "harness/base/prng.h"

namespace stallproof {
namespace {

constexpr std::string_view kLoads =
    "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n";
constexpr std::size_t kHeaderBytes = kLoads.size();

class SeriesReadTest : public testing::Test {
 protected:
  SeriesReadTest() : folder_(make_folder()) {
    std::filesystem::create_directories(folder_ + "/series");
  }
  ~SeriesReadTest() override { std::filesystem::remove_all(folder_); }
  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "series-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ + "/series/" + name, std::ios::binary) << text;
  }
  struct Row {
    double t_ms;
    std::string load;
    std::uint64_t ops;
    std::optional<double> max_us;
    double oldest_ms;
  };
  SeriesNotes read(std::vector<Row>& rows) const {
    return read_load_seconds(folder_, [&rows](const LoadSecond& each) {
      rows.push_back({each.t_ms, std::string(each.load), each.ops, each.max_us, each.oldest_ms});
    });
  }
  std::string folder_;
};

TEST_F(SeriesReadTest, RowsAreReadAsTheyWereWritten) {
  write("loads.csv", std::string(kLoads) + "1000,direct,10,4096,1,1.5,2.5,3.5,2,7.25\n" +
                         "1000,maps,0,0,0,,,,1,900\n");
  std::vector<Row> rows;
  const SeriesNotes notes = read(rows);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].load, "direct");
  EXPECT_EQ(rows[0].ops, 10U);
  EXPECT_EQ(rows[0].max_us, 3.5);
  EXPECT_EQ(rows[0].oldest_ms, 7.25);
  EXPECT_FALSE(rows[1].max_us);
  EXPECT_EQ(notes.words("series/loads.csv"), "");
}

TEST_F(SeriesReadTest, AMissingFileHasNoRowsAndIsNoDamage) {
  std::vector<Row> rows;
  const SeriesNotes notes = read(rows);
  EXPECT_TRUE(notes.missing);
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(notes.words("series/loads.csv"), "");
}

TEST_F(SeriesReadTest, TheLineACrashHasCutIsLeftOutAndTold) {
  // It would read as a whole one, with another number.
  write("loads.csv", std::string(kLoads) + "1000,a,1,0,0,,,,0,0\n2000,a,1,0,0,,,,3,17");
  std::vector<Row> rows;
  const SeriesNotes notes = read(rows);
  EXPECT_EQ(rows.size(), 1U);
  EXPECT_TRUE(notes.cut);
  EXPECT_EQ(notes.words("loads.csv"), "loads.csv: its last line is cut");
}

TEST_F(SeriesReadTest, NonsenseIsCountedAndTheRestIsRead) {
  write("loads.csv", std::string(kLoads) + "1000,a,1,0,0,,,,0,0\n" + "x,a,1,0,0,,,,0,0\n" +
                         "-5,a,1,0,0,,,,0,0\n" + "nan,a,1,0,0,,,,0,0\n" + "1e300,a,1,0,0,,,,0,0\n" +
                         "2000,a,-1,0,0,,,,0,0\n" + "2000,,1,0,0,,,,0,0\n" + "2000,a,1\n" +
                         std::string(9000, 'z') + "\n" + "3000,a,2,0,0,,,,0,0\n");
  std::vector<Row> rows;
  const SeriesNotes notes = read(rows);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].t_ms, 3000);
  EXPECT_EQ(notes.bad_lines, 8U);
  EXPECT_EQ(notes.first_bad_line, 3U);
}

TEST_F(SeriesReadTest, ALaterVersionMayHaveMoreColumnsButNoOthers) {
  write("windows.csv", "start_ms,end_ms,kind,text,by\n1,2,mark,failover,me\n");
  std::string text;
  const auto take = [&text](const SeriesWindow& window) { text = window.text; };
  EXPECT_EQ(read_windows(folder_, take).rows, 1U);
  EXPECT_EQ(text, "failover");
  write("windows.csv", "start_ms,end_ms,kind,text,by\n1,2,mark,\"a, \"\"b\"\"\",me\n");
  EXPECT_EQ(read_windows(folder_, take).rows, 1U);
  EXPECT_EQ(text, "a, \"b\"");
  write("windows.csv", "start,stop,kind,text\n1,2,mark,failover\n");
  EXPECT_NE(read_windows(folder_, take).problem, "");
}

TEST_F(SeriesReadTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo((folder_ + "/series/loads.csv").c_str(), 0600), 0);
  std::vector<Row> rows;
  EXPECT_EQ(read(rows).problem, "no regular file");
}

TEST_F(SeriesReadTest, IncidentsAreFoundInTheirOrder) {
  for (const char* name : {"around-1000.csv", "around-002.csv", "around-999.csv", "around-.csv",
                           "around-../x.csv", "around-12x.csv"})
    if (std::string_view(name).find('/') == std::string_view::npos)
      write(name, "t_ms,load,ops,in_flight,oldest_ms\n");
  EXPECT_EQ(around_ids(folder_), (std::vector<std::string>{"002", "999", "1000"}));
}

// Whatever bytes stand there: no crash, no row with a number out of range, every line accounted
// for.
TEST_F(SeriesReadTest, DamagedFilesNeverGiveAValueOutOfRange) {
  std::string good(kLoads);
  for (int i = 1; i < 40; ++i)
    good += fmt::format("{},load{},{},{},0,1.5,2.5,1e3,4,{}.5\n", i * 1000, i % 3, i, i * 4096, i);
  Prng random(7);
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (std::uint64_t hit = random.next() % 12; hit-- > 0;)
      text[kHeaderBytes + random.next() % (text.size() - kHeaderBytes)] =
          static_cast<char>(random.next());
    if (round % 3 == 0) text.resize(kHeaderBytes + random.next() % (text.size() - kHeaderBytes));
    write("loads.csv", text);
    std::uint64_t rows = 0;
    const SeriesNotes notes = read_load_seconds(folder_, [&rows](const LoadSecond& each) {
      ++rows;
      EXPECT_TRUE(each.t_ms >= 0 && each.t_ms <= 1e12);
      EXPECT_TRUE(each.oldest_ms >= 0 && each.oldest_ms <= 1e15);
      EXPECT_FALSE(each.load.empty());
    });
    const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_EQ(notes.rows, rows);
    EXPECT_EQ(notes.rows + notes.bad_lines, lines - 1 + (text.back() == '\n' ? 0 : 1));
  }
}

}  // namespace
}  // namespace stallproof
