// SPDX-License-Identifier: Apache-2.0
#include "harness/store/series_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/store/series_read.h"

namespace stallproof {
namespace {

constexpr const char* kName = "series/windows.csv";
constexpr const char* kHeader = "start_ms,end_ms,kind,text\n";

class SeriesWriterTest : public testing::Test {
 protected:
  SeriesWriterTest() : folder_(make_folder()), run_(*RunDir::create({folder_, "series"})) {}
  ~SeriesWriterTest() override { std::filesystem::remove_all(folder_); }
  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "series-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  [[nodiscard]] std::string text() const {
    const auto read = read_file(folder_ + "/" + kName);
    return read ? *read : "absent";
  }
  std::string folder_;
  RunDir run_;
};

TEST_F(SeriesWriterTest, WhatWasServedIsThereWhileTheRunGoesOn) {
  SeriesFile file(run_, kName, kHeader);
  file.append("1,2,gap,x\n");
  EXPECT_EQ(text(), "absent");
  file.serve(kSecond);
  EXPECT_EQ(text(), std::string(kHeader) + "1,2,gap,x\n");
  file.append("3,4,mark,y\n");
  file.serve(2 * kSecond);
  EXPECT_EQ(text(), std::string(kHeader) + "1,2,gap,x\n3,4,mark,y\n");
}

TEST_F(SeriesWriterTest, AnEmptySeriesIsItsHeader) {
  SeriesFile file(run_, kName, kHeader);
  file.append("");
  file.close();
  EXPECT_EQ(text(), kHeader);
}

// A killed run: what it had served is whole, line by line.
TEST_F(SeriesWriterTest, SigkillLosesNothingThatWasServed) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SeriesFile file(run_, kName, kHeader);
    for (int i = 0; i < 100; ++i) {
      file.append(fmt::format("{},{},gap,x\n", i, i + 1));
      file.serve(static_cast<Nanos>(i + 1) * kSecond);
    }
    file.append("100,101,gap,not served\n");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  std::uint64_t rows = 0;
  const SeriesNotes notes = read_windows(folder_, [&rows](const SeriesWindow& window) {
    EXPECT_EQ(window.start_ms, static_cast<double>(rows++));
  });
  EXPECT_EQ(rows, 100U);
  EXPECT_FALSE(notes.cut);
  EXPECT_EQ(notes.bad_lines, 0U);
}

TEST_F(SeriesWriterTest, AFileThatCannotBeWrittenIsSaidOnceAndKeepsMemoryBounded) {
  ASSERT_TRUE(make_directories(folder_ + "/" + kName));  // a directory is in its place
  SeriesFile file(run_, kName, kHeader);
  const std::string row = "1,2,gap,x\n";
  for (int i = 0; i < 100'000; ++i) file.append(row);
  file.serve(kSecond);
  EXPECT_NE(run_.first_problem().find(kName), std::string::npos) << run_.first_problem();
  EXPECT_GT(file.rows_left_out(), 70'000U);
}

// The disk was full for a moment in the middle of a line, and then was not.
TEST_F(SeriesWriterTest, ALineThatWasCutIsGoneOnWith) {
  SeriesFile file(run_, kName, kHeader);
  file.append("");
  file.serve(kSecond);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 30;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  file.append("10,20,gap,abc\n");
  file.serve(2 * kSecond);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(text().size(), 30U);
  file.append("30,40,gap,def\n");
  file.serve(3 * kSecond);
  EXPECT_EQ(text(), std::string(kHeader) + "10,20,gap,abc\n30,40,gap,def\n");
  EXPECT_NE(run_.first_problem(), "");
}

TEST(CsvWord, NothingThatSeparatesComesOutOfAName) {
  EXPECT_EQ(csv_word("a,b\"c\nd"), "a_b_c_d");
  EXPECT_EQ(csv_word("java-1"), "java-1");
}

TEST(CsvText, IsQuotedOnlyWhereItHasTo) {
  EXPECT_EQ(csv_text("failover a to b"), "failover a to b");
  EXPECT_EQ(csv_text("a, \"b\"\nc"), "\"a, \"\"b\"\" c\"");
}

}  // namespace
}  // namespace stallproof
