// SPDX-License-Identifier: Apache-2.0
// Every way to make a page fault again does so: counted by the kernel.
#include "workloads/fault/retouch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "workloads/content/stamp.h"
#include "workloads/fault/fault_mapping.h"
#include "workloads/testing/load_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = FaultMapping::kPage;
constexpr std::uint64_t kPages = 64;

std::uint64_t faults_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

// Page 0 and its neighbours are mapped by one fault (fault-around), so each 16th page is touched.
// Without a sanitizer's checks, whose own memory faults too; the first look warms what is counted.
__attribute__((no_sanitize("address", "undefined"))) std::uint64_t faults_of_touching(
    const FaultMapping& mapping, std::uint64_t from) {
  (void)faults_so_far();
  const std::uint64_t before = faults_so_far();
  for (std::uint64_t page = from; page < kPages; page += 16)
    [[maybe_unused]] const std::byte value =
        *const_cast<const volatile std::byte*>(mapping.at(page * kPage));
  return faults_so_far() - before;
}

void open_mapping(FaultMapping& mapping, const std::string& path, const char* retouch,
                  std::vector<std::string> words = {}) {
  words.push_back(std::string("fault-retouch=") + retouch);
  const auto settings = Settings::from_words(words);
  const auto options = read_fault_options(with_defaults(*find_workload("mapped-fault"), *settings));
  ASSERT_TRUE(options) << options.error().what;
  auto file = open_test_file(
      {.load = "test", .path = path, .size = kPages * kPage, .changes = options->changes_file()});
  ASSERT_TRUE(file) << file.error().what;
  const auto mapped = mapping.map(std::move(*file), path, *options);
  ASSERT_TRUE(mapped) << mapped.error().what;
}

TEST(Retouch, EveryMethodButNoneMakesPagesFaultAgain) {
  for (const Retouch& retouch : retouch_table()) {
    SCOPED_TRACE(std::string(retouch.name));
    const TestDirectory scratch;
    FaultMapping mapping;
    ASSERT_NO_FATAL_FAILURE(open_mapping(mapping, scratch.file(), retouch.name.data()));
    EXPECT_EQ(faults_of_touching(mapping, 16), 3U);
    EXPECT_EQ(faults_of_touching(mapping, 16), 0U) << "the pages were mapped by the first touch";
    if (retouch.drop == nullptr) continue;
    ASSERT_EQ(retouch.drop(mapping, 16 * kPage, 48 * kPage), 0);
    EXPECT_EQ(faults_of_touching(mapping, 16), 3U);
  }
}

TEST(Retouch, HoleAndTruncateLeaveZerosAndTheFirstPage) {
  for (const char* name : {"hole", "truncate"}) {
    SCOPED_TRACE(name);
    const TestDirectory scratch;
    FaultMapping mapping;
    ASSERT_NO_FATAL_FAILURE(open_mapping(mapping, scratch.file(), name));
    ASSERT_EQ(find_retouch(name)->drop(mapping, 16 * kPage, 48 * kPage), 0);
    std::uint64_t word = 1;
    EXPECT_EQ(mapping.read_behind(16 * kPage, word), 0);
    EXPECT_EQ(word, 0U);
    EXPECT_EQ(mapping.read_behind(0, word), 0);
    EXPECT_TRUE(generation_of(0, word)) << "the label is left alone";
    EXPECT_EQ(std::filesystem::file_size(scratch.file()), kPages * kPage);
  }
}

TEST(Retouch, RemapForgetsProtectionAndKeepsTheLock) {
  const TestDirectory scratch;
  FaultMapping mapping;
  ASSERT_NO_FATAL_FAILURE(
      open_mapping(mapping, scratch.file(), "remap", {"fault-mlock=on", "fault-writes=10"}));
  EXPECT_EQ(faults_of_touching(mapping, 16), 0U) << "mlock has brought the pages";
  ASSERT_EQ(mapping.protect(16 * kPage, 16 * kPage, false), 0);
  ASSERT_EQ(mapping.remap(16 * kPage, 16 * kPage), 0);
  EXPECT_EQ(faults_of_touching(mapping, 16), 0U) << "a locked window is populated at once";
  *mapping.at(16 * kPage) = std::byte{1};
}

TEST(Retouch, PopulatedMappingDoesNotFault) {
  const TestDirectory scratch;
  FaultMapping mapping;
  ASSERT_NO_FATAL_FAILURE(open_mapping(mapping, scratch.file(), "none", {"fault-start=populated"}));
  EXPECT_EQ(faults_of_touching(mapping, 0), 0U);
}

}  // namespace
}  // namespace stallproof
