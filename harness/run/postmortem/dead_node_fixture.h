// SPDX-License-Identifier: Apache-2.0
// The disk of a node that died, made in a directory.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/file.h"

namespace stallproof {

class DeadNodeFixture : public testing::Test {
 protected:
  static constexpr const char* kDeadBoot = "11111111-1111-4111-8111-111111111111";
  static constexpr const char* kLiveBoot = "22222222-2222-4222-8222-222222222222";

  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-dead-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = std::filesystem::canonical(pattern).string();
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // `written`: seconds since 1970, as the file's time; 0: now.
  void put(const std::string& path, const std::string& content, time_t written = 0) const {
    const std::string whole = root_ + "/" + path;
    ASSERT_TRUE(make_directories(whole.substr(0, whole.rfind('/'))));
    ASSERT_TRUE(write_file_atomically(whole, content));
    if (written == 0) return;
    const timespec times[2] = {{written, 0}, {written, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, whole.c_str(), times, 0), 0);
  }
  // As a run writes it, behind the stamp of a kernel log.
  static std::string line_of(const std::string& run, const std::string& boot) {
    return "[  317.114211] stallproof: run=" + run + " boot=" + boot + "\n";
  }
  // A run that was killed: its directory, relative to the root.
  std::string put_run(const std::string& id, const std::string& boot, const std::string& events,
                      const std::string& thresholds = "null") const {
    const std::string directory = "var/lib/stallproof/runs/" + id;
    put(directory + "/run.id", id + "\n", 1000);
    put(directory + "/events.jsonl", events, 1000);
    put(directory + "/env.json",
        R"({"schema":1,"node":"n1","kernel":"6.1.0","kernel_version":"#1","machine":"x86_64",)"
        R"("cpus":2,"tool_version":"0.1.0"})",
        1000);
    put(directory + "/manifest.json",
        R"({"schema":1,"run":")" + id + R"(","state":"running","boot_id":")" + boot +
            R"(","controller":{"pid":4194303,"start_ticks":7},"node":"n1","kernel":"6.1.0",)" +
            R"("tool_version":"0.1.0","on_stall":"report","labels":{"build":"1.2"},)" +
            R"("started":"2026-11-26T10:15:00.000+00:00","thresholds":)" + thresholds + "}",
        1000);
    return root_ + "/" + directory;
  }

  std::string root_;
};

}  // namespace stallproof
