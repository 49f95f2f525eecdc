// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/median_rates.h"

#include <gtest/gtest.h>

#include <random>

namespace stallproof {
namespace {

double rate_of(const std::string& csv, double warmup_ms = 0, const std::string& load = "a") {
  const auto rates = median_rates(csv, warmup_ms, "s.csv");
  return rates && rates->contains(load) ? rates->at(load) : -1;
}

std::string problem_of(const std::string& csv) {
  const auto rates = median_rates(csv, 0, "s.csv");
  return rates ? "" : rates.error().what;
}

constexpr const char* kHeader =
    "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n";

std::string row(int t_ms, const std::string& load, int ops, int in_flight) {
  return std::to_string(t_ms) + "," + load + "," + std::to_string(ops) + ",0,0,,,," +
         std::to_string(in_flight) + ",0\n";
}

TEST(MedianRates, AColumnForEachLoad) {
  const std::string csv = "end_ms,a,b\n1314,100,7\n2314,300,7\n3314,200,7\n";
  EXPECT_EQ(rate_of(csv), 200);
  EXPECT_EQ(rate_of(csv, 0, "b"), 7);
}

TEST(MedianRates, ARowForEachLoadAndSecond) {
  std::string csv = kHeader;
  for (const int second : {1, 2, 3})
    csv += row(second * 1000, "a", second * 10, 1) + row(second * 1000, "b", 5, 1);
  EXPECT_EQ(rate_of(csv), 20);
  EXPECT_EQ(rate_of(csv, 0, "b"), 5);
}

TEST(MedianRates, ALateRowIsNoFastSecond) {
  EXPECT_EQ(rate_of("end_ms,a\n1000,100\n3000,200\n4000,100\n"), 100);
}

TEST(MedianRates, SecondsOfTheWarmUpDoNotCountWhileThereAreOthers) {
  const std::string csv = "end_ms,a\n1000,900\n2000,900\n3000,100\n4000,110\n5000,120\n";
  EXPECT_EQ(rate_of(csv, 2000), 110);
  EXPECT_EQ(rate_of(csv, 60000), 120) << "all seconds, when nothing else is there";
}

TEST(MedianRates, ALoadThatIsOffIsNotSlow) {
  EXPECT_EQ(rate_of("end_ms,a\n1000,0\n2000,0\n3000,50\n4000,60\n5000,0\n"), 55);
  std::string csv = kHeader;
  for (const int second : {1, 2, 3, 4, 5, 6})
    csv += row(second * 1000, "a", second % 2 == 0 ? 0 : 40, second % 2 == 0 ? 0 : 1);
  EXPECT_EQ(rate_of(csv), 40);
}

TEST(MedianRates, ASecondWithWorkInFlightAndNothingDoneCounts) {
  std::string csv = kHeader;
  for (const int second : {1, 2, 3, 4, 5})
    csv += row(second * 1000, "a", second % 4 == 1 ? 40 : 0, 1);
  EXPECT_EQ(rate_of(csv), 0);
}

TEST(MedianRates, DamageIsNamedByItsLine) {
  EXPECT_EQ(problem_of("end_ms,a\n1000,1\n2000\n"), "s.csv:3: cut or damaged row");
  EXPECT_EQ(problem_of("end_ms,a\n1000,-1\n"), "s.csv:2: cut or damaged row");
  EXPECT_EQ(problem_of("end_ms,a\n1000,nan\n"), "s.csv:2: cut or damaged row");
  EXPECT_EQ(problem_of("<html>\n"), "s.csv:1: not a series of loads");
  EXPECT_EQ(problem_of(std::string(kHeader) + "1000,a,x,0,0,,,,0,0\n"),
            "s.csv:2: cut or damaged row");
  EXPECT_EQ(problem_of(""), "");
}

TEST(MedianRates, NoBytesCrashIt) {
  std::mt19937 random(9);
  const std::string whole = std::string(kHeader) + row(1000, "a", 1, 1) + row(2000, "a", 2, 1);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = whole;
    for (int times = 0; times < 3; ++times)
      damaged[random() % damaged.size()] = ",\n0x\0\xff"[random() % 6];
    (void)median_rates(damaged, 0, "s.csv");
  }
}

}  // namespace
}  // namespace stallproof
