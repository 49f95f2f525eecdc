// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/map_profile.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace stallproof {
namespace {

MapProfile every_call() {
  MapProfile profile{
      .comm = "java (old)", .kernel = "6.18.44", .started = "2026-11-25T20:01:18.000+00:00"};
  profile.duration_us = 1000;
  profile.threads = 2;
  profile.failed = 3;
  profile.left_out = 1;
  profile.operations = {
      {.at_us = 1,
       .address = 0x7f0000000000,
       .length = 1048576,
       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | 0x40000000,
       .prot = 3},
      {.at_us = 2, .flags = 0x2003d0f00, .child = 1, .call = MapCall::clone},
      {.at_us = 3,
       .address = 0x7f0000000000,
       .length = 16384,
       .thread = 1,
       .call = MapCall::mprotect},
      {.at_us = 4,
       .address = 0x7f0000000000,
       .length = 9,
       .flags = 4,
       .thread = 1,
       .call = MapCall::madvise},
      {.at_us = 4,
       .address = 0x7f0000000000,
       .length = 4096,
       .flags = 99,
       .thread = 1,
       .call = MapCall::madvise},
      {.at_us = 5, .thread = 1, .call = MapCall::exit},
      {.at_us = 6, .flags = 17, .call = MapCall::clone},
      {.at_us = 7, .address = 0x55550001, .call = MapCall::brk},
      {.at_us = 8,
       .address = 0x7f0000200000,
       .length = 8192,
       .flags = 1,
       .from_address = 0x7f0000000000,
       .from_length = 4096,
       .call = MapCall::mremap},
      {.at_us = 9, .address = 0x7f0000200000, .length = 8192, .call = MapCall::munmap}};
  return profile;
}

std::string with_row(const std::string& row) {
  return "stallproof-map-profile 1\ncomm x\nkernel y\nstarted z\nduration_us 5\nthreads 2\n"
         "calls 1\nlost 0\nfailed 0\nleft_out 0\ntime_us thread call address length prot flags\n" +
         row + "\n";
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_map_profile(text, "f");
  return parsed ? "" : parsed.error().what;
}

TEST(MapProfile, ComesBackAsItWasWritten) {
  const MapProfile written = every_call();
  const auto read = parse_map_profile(format_map_profile(written), "f");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->operations, written.operations);
  EXPECT_EQ(read->comm, written.comm);
  EXPECT_EQ(read->started, written.started);
  EXPECT_EQ(read->threads, 2U);
  EXPECT_EQ(read->failed, 3U);
  EXPECT_EQ(read->left_out, 1U);
  EXPECT_EQ(format_map_profile(*read), format_map_profile(written));
}

TEST(MapProfile, IsWrittenInWords) {
  const std::string text = format_map_profile(every_call());
  EXPECT_NE(text.find("\n1 0 mmap 0x7f0000000000 1048576 rw private|anonymous|stack|0x40000000\n"),
            std::string::npos);
  EXPECT_NE(text.find("\n2 0 clone - - - 0x2003d0f00 child=1\n"), std::string::npos);
  EXPECT_NE(text.find("\n3 1 mprotect 0x7f0000000000 16384 none -\n"), std::string::npos);
  EXPECT_NE(text.find("\n4 1 madvise 0x7f0000000000 9 - dontneed\n"), std::string::npos);
  EXPECT_NE(text.find("mremap 0x7f0000200000 8192 - 0x1 from=0x7f0000000000+4096\n"),
            std::string::npos);
}

TEST(MapProfile, NameOfTheProgramCannotAddLines) {
  MapProfile profile = every_call();
  profile.comm = "a\nlost 7";
  const auto read = parse_map_profile(format_map_profile(profile), "f");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->comm, "a?lost 7");
}

TEST(MapProfile, AnotherVersionAndOtherFilesAreRefusedByName) {
  EXPECT_NE(error_of("stallproof-map-profile 2\n").find("f:1: '2': a version"), std::string::npos);
  EXPECT_NE(error_of("#!/bin/sh\n").find("f:1: '#!/bin/sh': not a map profile"), std::string::npos);
  EXPECT_NE(error_of("").find("not a map profile"), std::string::npos);
}

TEST(MapProfile, FaultsAreToldWithLineAndWord) {
  const std::pair<const char*, const char*> faults[] = {
      {"1 0 mmap 0x1000 4096 rw", "f:12: '1 0 mmap 0x1000 4096 rw': not seven columns"},
      {"1 0 mmap 0x1001 4096 rw private", "'0x1001': not the address of a page"},
      {"1 0 mmap 0x800000000000 4096 rw private", "'0x800000000000': not the address"},
      {"1 0 mmap 0x7ffffffff000 8192 rw private", "'8192': not a length"},
      {"1 0 mmap 0x1000 -1 rw private", "'-1': not a length"},
      {"1 0 mmap 0x1000 4096 rq private", "'rq': not a protection"},
      {"1 0 mmap 0x1000 4096 rw private|", "'private|': not flags"},
      {"1 0 madvise 0x1000 4096 - dontkneed", "'dontkneed': not an advice"},
      {"1 2 exit - - - -", "'2': not a thread below 2"},
      {"1 0 clone - - - 0x0 child=2", "'child=2': not child=N"},
      {"1 0 clone - - - 0x0 child=0", "thread 0 is born, but appears before"},
      {"1 0 fork - - - -", "'fork': not a call"},
      {"x 0 exit - - - -", "'x': not a time"},
      {"1 0 exit - - - - more", "'more': one word too many"},
      {"1 0 mremap 0x1000 4096 - 0x1 from=0x1000", "'from=0x1000': not from=ADDRESS+LENGTH"},
      {"1 0 exit - - - -\n2 1 exit - - - -", "f:13: more calls than the 1 of the header"},
  };
  for (const auto& [row, wanted] : faults)
    EXPECT_NE(error_of(with_row(row)).find(wanted), std::string::npos) << error_of(with_row(row));
}

TEST(MapProfile, AnEndedThreadMakesNoCalls) {
  std::string text = with_row("1 0 exit - - - -\n2 0 brk 0x1000 - - -");
  text.replace(text.find("calls 1"), 7, "calls 2");
  EXPECT_EQ(error_of(text), "f:13: thread 0 has ended before");
}

TEST(MapProfile, ADamagedFileIsSeen) {
  const std::string whole = format_map_profile(every_call());
  EXPECT_NE(error_of(whole.substr(0, whole.rfind("9 0 munmap"))).find("ends after 9 of 10 calls"),
            std::string::npos);
  for (std::size_t length = 0; length + 1 < whole.size(); ++length)
    EXPECT_NE(error_of(whole.substr(0, length)), "") << length;
}

TEST(MapProfile, SizesAreBounded) {
  std::string text = with_row("1 0 exit - - - -");
  text.replace(text.find("threads 2"), 9, "threads 99999999");
  EXPECT_NE(error_of(text).find("'99999999': at most 1048576"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
