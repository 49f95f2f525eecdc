// SPDX-License-Identifier: Apache-2.0
// What a load wrote says where it belongs and when it was written; a file that is not ours is left
// alone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "harness/base/file.h"
#include "workloads/content/expected_content.h"
#include "workloads/content/test_file.h"
#include "workloads/testing/load_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;

TEST(Stamp, GenerationZeroIsThePattern) {
  std::vector<std::byte> stamped(kPage), pattern(kPage);
  fill_stamp(3 * kPage, 0, stamped);
  fill_pattern(3 * kPage, pattern);
  EXPECT_EQ(stamped, pattern);
}

TEST(Stamp, AWordGivesItsGenerationBackAtItsOffsetOnly) {
  for (const Generation generation : {0U, 1U, 2U, 77U, 0xfffffff0U}) {
    EXPECT_EQ(generation_of(4096, stamp_word(4096, generation)), generation);
    EXPECT_NE(generation_of(8192, stamp_word(4096, generation)), generation);
  }
}

TEST(Stamp, FirstWrongWordIsFoundAnywhereInATransferOfAnySize) {
  for (const std::size_t size : {8U, 504U, 512U, 520U, 4096U}) {
    std::vector<std::byte> data(size);
    fill_stamp(512, 9, data);
    EXPECT_FALSE(first_wrong_stamp(512, 9, data));
    data[size - 1] ^= std::byte{1};
    const auto wrong = first_wrong_stamp(512, 9, data);
    ASSERT_TRUE(wrong) << size;
    EXPECT_EQ(wrong->offset, 512 + size - 8);
  }
}

TEST(ExpectedContent, OlderWriteIsCalledALostOne) {
  auto content = ExpectedContent::create({.block = kPage, .blocks = 4, .tracked = true});
  ASSERT_TRUE(content);
  std::vector<std::byte> page(kPage);
  fill_stamp(2 * kPage, 5, page);
  content->wrote(2, 5);
  EXPECT_FALSE(content->check(2, page));
  content->wrote(2, 6);
  const auto wrong = content->check(2, page);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->offset, 2 * kPage);
  EXPECT_NE(wrong->what.find("write 5 in place of write 6: a lost write"), std::string::npos)
      << wrong->what;
  EXPECT_FALSE(content->right(2, stamp_word(2 * kPage, 5)));
  content->unsure(2);
  EXPECT_FALSE(content->check(2, page));
}

TEST(ExpectedContent, HoleMustBeZerosAndAnOldBlockMustNot) {
  auto content = ExpectedContent::create({.block = kPage, .blocks = 4, .tracked = true});
  ASSERT_TRUE(content);
  const std::vector<std::byte> zeros(kPage);
  ASSERT_TRUE(content->check(1, zeros));
  EXPECT_NE(content->check(1, zeros)->what.find("zeros"), std::string::npos);
  content->zeroed(1, 1);
  EXPECT_FALSE(content->check(1, zeros));
  EXPECT_TRUE(content->right(1, 0));
  EXPECT_FALSE(content->right(1, stamp_word(kPage, 0)));
}

TEST(ExpectedContent, WhereAnybodyWritesAnyWriteIsRightAndZerosAreNot) {
  auto content =
      ExpectedContent::create({.block = kPage, .blocks = 4, .tracked = true, .any_writer = true});
  ASSERT_TRUE(content);
  std::vector<std::byte> page(kPage);
  fill_stamp(kPage, 7, page);
  fill_stamp(kPage, 9, {page.data(), kPage / 2});
  EXPECT_FALSE(content->check(1, page)) << "halves of two writes";
  EXPECT_TRUE(content->right(1, stamp_word(kPage, 12)));
  EXPECT_TRUE(content->check(2, page)) << "written elsewhere";
  const std::vector<std::byte> zeros(kPage);
  EXPECT_TRUE(content->check(1, zeros));
  EXPECT_FALSE(content->right(1, 0));
}

FileShare part(unsigned number, unsigned of) { return {.part = number, .parts = of}; }

TEST(FileShare, PartsAreDisjointAndCoverWholeMebibytes) {
  constexpr std::uint64_t kSize = (100U << 20U) + 4096;
  std::uint64_t next = 0;
  for (unsigned number = 1; number <= 3; ++number) {
    const FileRange range = range_of(part(number, 3), kSize);
    EXPECT_EQ(range.begin, next);
    EXPECT_EQ((range.end - range.begin) % (1U << 20U), 0U);
    next = range.end;
  }
  EXPECT_LE(next, kSize);
  EXPECT_GT(next, 98U << 20U);
  EXPECT_EQ(range_of({}, kSize).end, kSize);
}

TEST(FileShare, WordsThatAreNoPartAreRefused) {
  for (const char* const word : {"0/2", "3/2", "1", "1/", "/2", "x", "1/0", "1/2/3", "-1/2", ""}) {
    const auto share = read_file_share(*Settings::from_words({std::string("file-part=") + word}));
    EXPECT_FALSE(share) << word;
  }
  EXPECT_FALSE(read_file_share(*Settings::from_words({"file-part=1/2", "file-writers=many"})));
  EXPECT_FALSE(read_file_share(*Settings::from_words({"file-writers=two"})));
  const auto second = read_file_share(*Settings::from_words({"file-part=2/3"}));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->part, 2U);
  EXPECT_EQ(second->parts, 3U);
}

TEST(SharedFile, EachPartIsFilledByItsOwner) {
  const TestDirectory scratch;
  TestFileSpec spec{.load = "load", .path = scratch.file(), .size = 16 * kPage, .changes = true};
  spec.share = part(2, 2);  // the later part first: what is before it is a hole
  const auto second = open_test_file(spec);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->begin, 8 * kPage);
  spec.share = part(1, 2);
  const auto first = open_test_file(spec);
  ASSERT_TRUE(first) << first.error().what;
  std::vector<std::byte> page(kPage);
  for (const std::uint64_t at : {1 * kPage, 7 * kPage, 9 * kPage, 15 * kPage}) {
    ASSERT_EQ(::pread(first->fd.get(), page.data(), kPage, static_cast<off_t>(at)), 4096);
    EXPECT_FALSE(first_wrong_byte(at, page)) << at;
  }
}

TEST(SharedFile, DataOfSomebodyElseIsLeftAlone) {
  const TestDirectory scratch;
  std::string precious(8 * kPage, '\0');
  precious[6 * kPage] = 'x';  // behind zeros, as in the image of a disk
  ASSERT_TRUE(write_file_atomically(scratch.file(), precious));
  TestFileSpec spec{.load = "load", .path = scratch.file(), .size = 8 * kPage, .changes = true};
  spec.share = part(2, 2);
  EXPECT_FALSE(open_test_file(spec));
  spec.share = {.many_writers = true};
  const auto refused = open_test_file(spec);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("not ours"), std::string::npos) << refused.error().what;
  EXPECT_EQ(read_file(scratch.file()).value(), precious);
}

TEST(SharedFile, TooSmallPartsAndFilesWithoutASizeAreRefused) {
  const TestDirectory scratch;
  TestFileSpec spec{.load = "load", .path = scratch.file(), .size = 4 * kPage, .changes = true};
  spec.share = part(1, 4);
  EXPECT_FALSE(open_test_file(spec));
  spec.share = part(1, 2);
  spec.size = 0;
  EXPECT_FALSE(open_test_file(spec));
}

TEST(TestFile, IsMadeFilledAndTakenAgainAsItIs) {
  const TestDirectory scratch;
  const TestFileSpec spec{.load = "load", .path = scratch.file(), .size = 40 * kPage};
  ASSERT_TRUE(open_test_file(spec));
  const auto again = open_test_file(spec);
  ASSERT_TRUE(again);
  std::vector<std::byte> all(40 * kPage);
  ASSERT_EQ(::pread(again->fd.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  EXPECT_FALSE(first_wrong_byte(0, all));
}

TEST(TestFile, ShorterOneIsLengthened) {
  const TestDirectory scratch;
  ASSERT_TRUE(open_test_file({.load = "load", .path = scratch.file(), .size = 3 * kPage}));
  const auto longer = open_test_file({.load = "load", .path = scratch.file(), .size = 9 * kPage});
  ASSERT_TRUE(longer);
  std::vector<std::byte> all(9 * kPage);
  ASSERT_EQ(::pread(longer->fd.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  EXPECT_FALSE(first_wrong_byte(0, all));
}

TEST(TestFile, DataOfSomebodyElseIsLeftAlone) {
  const TestDirectory scratch;
  const std::string precious = "precious";
  ASSERT_TRUE(write_file_atomically(scratch.file(), precious));
  for (const bool changes : {false, true}) {
    const auto refused = open_test_file(
        {.load = "load", .path = scratch.file(), .size = 4 * kPage, .changes = changes});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("not ours"), std::string::npos) << refused.error().what;
    EXPECT_EQ(read_file(scratch.file()).value(), precious);
  }
}

TEST(TestFile, ChangedOneIsFilledAgainForAReaderThatSaysTheSize) {
  const TestDirectory scratch;
  TestFileSpec spec{.load = "load", .path = scratch.file(), .size = 9 * kPage, .changes = true};
  {
    const auto changed = open_test_file(spec);
    ASSERT_TRUE(changed);
    ASSERT_EQ(::pwrite(changed->fd.get(), "else", 4, 5 * kPage), 4);
  }
  spec.changes = false;
  spec.size = 0;
  const auto refused = open_test_file(spec);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("was changed"), std::string::npos) << refused.error().what;
  spec.size = 9 * kPage;
  const auto again = open_test_file(spec);
  ASSERT_TRUE(again);
  std::vector<std::byte> all(9 * kPage);
  ASSERT_EQ(::pread(again->fd.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  EXPECT_FALSE(first_wrong_byte(0, all));
}

TEST(TestFile, IsSharedForReadingOnly) {
  const TestDirectory scratch;
  const TestFileSpec reader{.load = "load", .path = scratch.file(), .size = 4 * kPage};
  TestFileSpec writer = reader;
  writer.changes = true;
  {
    const auto one = open_test_file(reader);
    const auto two = open_test_file(reader);
    EXPECT_TRUE(one && two);
    const auto refused = open_test_file(writer);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("in use by another load"), std::string::npos);
  }
  const auto alone = open_test_file(writer);
  EXPECT_TRUE(alone);
  EXPECT_FALSE(open_test_file(writer));
}

TEST(TestFile, NoSpaceIsOneLineAndLeavesNothing) {
  const TestDirectory scratch;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1U << 20U, before.rlim_max};
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = open_test_file({.load = "load", .path = scratch.file(), .size = 4U << 20U});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("at 1048576 of 4194304 bytes"), std::string::npos)
      << refused.error().what;
  EXPECT_FALSE(std::filesystem::exists(scratch.file()));
}

TEST(TestFile, DirectoryAndMissingFileAreRefused) {
  const TestDirectory scratch;
  const auto missing = open_test_file({.load = "load", .path = scratch.file(), .changes = true});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("No such file"), std::string::npos) << missing.error().what;
  EXPECT_FALSE(open_test_file({.load = "load", .path = scratch.file(""), .size = kPage}));
  EXPECT_FALSE(open_test_file({.load = "load", .path = "/dev/null", .size = kPage}));
}

}  // namespace
}  // namespace stallproof
