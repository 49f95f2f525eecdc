// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_record.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

NightRecord passed() {
  NightRecord record;
  record.id = "20261126-210000";
  record.output = "/out";
  record.targets = {{.target = "/mnt/a", .command = "stallproof run", .exit_code = 0}};
  record.runs = {"/out/runs/1"};
  record.gate_code = 0;
  record.gate_text = "PASS build 3: 0 failing stalls\nwhat zero means\n";
  return record;
}

NightTarget missing(int code) {
  return {.target = "/mnt/b", .problem = "target /mnt/b: No such file", .problem_code = code};
}

TEST(NightRecord, TheGatesAnswerIsTheNights) {
  NightRecord record = passed();
  EXPECT_EQ(night_exit_code(record), 0);
  EXPECT_EQ(night_sentence(record), "PASS build 3: 0 failing stalls");
  record.gate_code = 1;
  EXPECT_EQ(night_exit_code(record), 1);
}

TEST(NightRecord, TheSentenceComesFirstInTheText) {
  const NightRecord record = passed();
  EXPECT_EQ(night_text(record).find(night_sentence(record) + "\n"), 0U);
}

TEST(NightRecord, ATargetThatWasNotThereIsNeverGreen) {
  NightRecord record = passed();
  record.targets.push_back(missing(2));
  EXPECT_EQ(night_exit_code(record), 2);
  EXPECT_NE(night_sentence(record).find("/mnt/b"), std::string::npos);
  record.targets.back() = missing(3);
  EXPECT_EQ(night_exit_code(record), 3);
  record.gate_code = 1;
  EXPECT_EQ(night_exit_code(record), 1);
}

TEST(NightRecord, ANodeThatIsNotCleanIsUnknownUnlessAccepted) {
  NightRecord record = passed();
  record.unclean = {"writer 8 is in D"};
  record.gate_code.reset();
  record.gate_text.clear();
  EXPECT_EQ(night_exit_code(record), 3);
  EXPECT_EQ(night_sentence(record), "UNKNOWN: node is not clean: writer 8 is in D");
  record = passed();
  record.unclean = {"writer 8 is in D"};
  record.accepted = true;
  EXPECT_EQ(night_exit_code(record), 0);
  EXPECT_NE(night_sentence(record).find("writer 8"), std::string::npos);
}

TEST(NightRecord, NothingJudgedAndInterruptedAreUnknown) {
  EXPECT_EQ(night_exit_code({}), 3);
  NightRecord record = passed();
  record.interrupted = true;
  EXPECT_EQ(night_exit_code(record), 3);
  record = passed();
  record.problems = {"gate: killed by signal 9"};
  EXPECT_EQ(night_exit_code(record), 3);
}

TEST(NightRecord, TheDocumentSaysTheSame) {
  NightRecord record = passed();
  record.targets.push_back(missing(2));
  const auto json = nlohmann::json::parse(night_json(record));
  EXPECT_EQ(json["exit_code"], 2);
  EXPECT_EQ(json["verdict"], "unknown");
  EXPECT_EQ(json["sentence"], night_sentence(record));
  EXPECT_EQ(json["targets"].size(), 2U);
  EXPECT_EQ(json["kept"]["removed"].size(), 0U);
}

}  // namespace
}  // namespace stallproof
