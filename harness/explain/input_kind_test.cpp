// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/input_kind.h"

#include <gtest/gtest.h>

#include <string>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/explain/explain.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

TEST(InputKind, OurOwnFilesAreTold) {
  const LockSnapshot stall = fixture::reported_stall();
  EXPECT_EQ(recognise(snapshot_json(stall)), InputKind::snapshot);
  EXPECT_EQ(recognise(render_json(explain(stall, *FsKnowledge::shipped()))),
            InputKind::explanation);
  EXPECT_EQ(recognise(R"({"schema":1,"verdict":"pass","stalls":[]})"), InputKind::verdict);
  EXPECT_EQ(recognise(std::string("\x1f\x8b\x08", 3)), InputKind::archive);
}

TEST(InputKind, TextsOfOthersAreTold) {
  for (const char* name : {"foreach-bt.txt", "bt-holder.txt", "rwsem-waiters.txt"})
    EXPECT_EQ(recognise(*read_file(source_file(std::string("examples/seed-crash/") + name))),
              InputKind::crash_text)
        << name;
  EXPECT_EQ(recognise("INFO: task java:7 blocked for more than 120 seconds.\n"),
            InputKind::kernel_log);
  EXPECT_EQ(recognise("[   12.345678] eth0: link up\n"), InputKind::kernel_log);
  EXPECT_EQ(recognise(*read_file(source_file("harness/explain/fs/ffs.toml"))),
            InputKind::fs_knowledge);
}

TEST(InputKind, MemoryImagesAreTold) {
  std::string elf(
      "\x7f"
      "ELF",
      4);
  elf.resize(64, '\0');
  elf[16] = 4;
  EXPECT_EQ(recognise(elf), InputKind::vmcore);
  elf[16] = 2;  // a program
  EXPECT_EQ(recognise(elf), InputKind::unknown);
  EXPECT_EQ(recognise("KDUMP   xxxx"), InputKind::vmcore);
}

TEST(InputKind, NothingAndGarbageAreTold) {
  EXPECT_EQ(recognise(""), InputKind::empty);
  EXPECT_EQ(recognise(" \n\t"), InputKind::empty);
  EXPECT_EQ(recognise("{ not json"), InputKind::unknown);
  EXPECT_EQ(recognise(std::string("\0\1\2\3", 4)), InputKind::unknown);
}

}  // namespace
}  // namespace stallproof
