// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/explain/vmcore/memory_fixture.h"
#include "harness/explain/vmcore/orc.h"

namespace stallproof {
namespace {

using Bytes = std::array<std::uint8_t, kOrcBytes>;
using Kind = OrcEntry::Kind;

constexpr OrcForm kOld{.typed_end = false, .signal_bit = 0, .end_bit = 42};
constexpr OrcForm kNew{.typed_end = true, .signal_bit = 43, .end_bit = 0};
constexpr std::uint8_t kSpReg = 5;
constexpr std::uint8_t kBpFromPrevious = 1;

Bytes entry(std::int16_t sp, std::uint8_t regs, std::uint8_t type, std::int16_t bp = 0) {
  Bytes bytes{};
  std::memcpy(bytes.data(), &sp, 2);
  std::memcpy(bytes.data() + 2, &bp, 2);
  bytes[4] = regs;
  bytes[5] = type;
  return bytes;
}

TEST(Orc, OldFormMarksTheEndByABit) {
  const OrcEntry call = decode_orc(entry(16, 0x15, 0, -16), kOld);
  EXPECT_EQ(call.kind, Kind::call);
  EXPECT_EQ(call.sp_offset, 16);
  EXPECT_EQ(call.bp_offset, -16);
  EXPECT_EQ(call.sp_reg, 5);
  EXPECT_EQ(call.bp_reg, 1);
  EXPECT_EQ(decode_orc(entry(0, 0x05, 1), kOld).kind, Kind::regs);
  EXPECT_EQ(decode_orc(entry(0, 0x05, 2), kOld).kind, Kind::regs_partial);
  EXPECT_EQ(decode_orc(entry(0, 0, 4), kOld).kind, Kind::end);
  EXPECT_EQ(decode_orc(entry(0, 0, 0), kOld).kind, Kind::undefined);
}

TEST(Orc, NewFormSaysItInTheType) {
  EXPECT_EQ(decode_orc(entry(0, 0, 0), kNew).kind, Kind::undefined);
  EXPECT_EQ(decode_orc(entry(0, 0, 1), kNew).kind, Kind::end);
  EXPECT_EQ(decode_orc(entry(8, 5, 2), kNew).kind, Kind::call);
  EXPECT_EQ(decode_orc(entry(0, 5, 3), kNew).kind, Kind::regs);
  EXPECT_TRUE(decode_orc(entry(0, 5, 4 | 8), kNew).signal);
  EXPECT_EQ(decode_orc(entry(0, 5, 7), kNew).kind, Kind::undefined);
}

constexpr std::uint64_t kCode = 0xffffffff81000000ULL;
constexpr std::uint64_t kIps = 0xffffffff82000000ULL;
constexpr std::uint64_t kEntries = 0xffffffff83000000ULL;

// Functions of 0x100 bytes from kCode on, each with one entry.
OrcTable table(MadeMemory& memory, const std::vector<Bytes>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t place = kIps + i * 4;
    memory.put(place, static_cast<std::int32_t>(kCode + i * 0x100 - place));
    memory.put(kEntries + i * kOrcBytes, entries[i]);
  }
  const auto count = static_cast<std::uint32_t>(entries.size());
  return {kIps, kEntries, count, kCode, kCode + 0x100ULL * count};
}

TEST(Orc, EntryIsTheLastThatBeginsAtOrBeforeTheAddress) {
  MadeMemory memory;
  OrcTables tables(memory, kOld);
  tables.add(table(memory, {entry(8, 5, 0), entry(16, 5, 0), entry(24, 5, 0)}));
  EXPECT_EQ(tables.find(kCode)->sp_offset, 8);
  EXPECT_EQ(tables.find(kCode + 0xff)->sp_offset, 8);
  EXPECT_EQ(tables.find(kCode + 0x100)->sp_offset, 16);
  EXPECT_EQ(tables.find(kCode + 0x2ff)->sp_offset, 24);
  EXPECT_FALSE(tables.find(kCode + 0x300));
  EXPECT_FALSE(tables.find(kCode - 1));
}

// A task asleep in function 0, called by 1, called by 2.
struct Asleep {
  StackCopy stack{.begin = 0xffffb00000003e00ULL, .words = std::vector<std::uint64_t>(32)};
  MadeMemory memory;

  Asleep() {
    at(6) = kCode + 0x10;  // where __switch_to_asm returns to
    at(7 + 1) = kCode + 0x110;
    at(9 + 2) = kCode + 0x210;
  }
  std::uint64_t& at(std::size_t word) { return stack.words[word]; }
};

TEST(Unwind, FollowsCallsToTheEnd) {
  Asleep task;
  OrcTables orc(task.memory, kOld);
  orc.add(table(task.memory, {entry(16, kSpReg, 0), entry(24, kSpReg, 0), entry(0, 0, 4)}));
  const UnwoundStack stack = unwind_sleeping(task.stack, orc);
  EXPECT_EQ(stack.problem, "");
  ASSERT_EQ(stack.frames.size(), 3U);
  EXPECT_EQ(stack.frames[0].address, kCode + 0x10);
  EXPECT_EQ(stack.frames[1].address, kCode + 0x110);
  EXPECT_EQ(stack.frames[2].address, kCode + 0x210);
  EXPECT_EQ(stack.frames[2].stack_address, task.stack.begin + 11 * 8);
}

TEST(Unwind, FramePointerIsRestoredAndUsed) {
  Asleep task;
  // Function 0 keeps its caller's frame pointer below the return address.
  task.at(7) = task.stack.begin + 10 * 8;
  OrcTables orc(task.memory, kOld);
  orc.add(table(task.memory, {entry(16, kBpFromPrevious << 4U | kSpReg, 0, -16),
                              entry(16, 4 /* bp */, 0), entry(0, 0, 4)}));
  const UnwoundStack stack = unwind_sleeping(task.stack, orc);
  EXPECT_EQ(stack.problem, "");
  ASSERT_EQ(stack.frames.size(), 3U);
  EXPECT_EQ(stack.frames[2].address, kCode + 0x210);
}

TEST(Unwind, RegistersOfUserSpaceAreTheBottom) {
  Asleep task;
  OrcTables orc(task.memory, kOld);
  orc.add(table(task.memory, {entry(16, kSpReg, 0), entry(0, kSpReg, 1), entry(0, 0, 4)}));
  task.at(9 + 17) = 0x33;  // cs
  const UnwoundStack stack = unwind_sleeping(task.stack, orc);
  EXPECT_EQ(stack.problem, "");
  EXPECT_EQ(stack.frames.size(), 2U);
}

TEST(Unwind, NewTaskStandsAtItsBeginningAndNotBehindACall) {
  Asleep task;
  task.at(6) = kCode + 0x100;  // the first instruction of function 1
  OrcTables orc(task.memory, kOld);
  orc.add(table(task.memory, {entry(8, kSpReg, 0), entry(0, 0, 4)}));
  const UnwoundStack stack = unwind_sleeping(task.stack, orc, kCode + 0x100);
  EXPECT_EQ(stack.problem, "");
  ASSERT_EQ(stack.frames.size(), 1U);
  EXPECT_EQ(stack.frames[0].code(), kCode + 0x100);
}

TEST(Unwind, InterruptedFunctionGoesOnWhereItWas) {
  Asleep task;
  OrcTables orc(task.memory, kOld);
  // Function 0 was called by the interrupt's entry (1), whose registers lie where it began.
  orc.add(table(task.memory, {entry(16, kSpReg, 0), entry(0, kSpReg, 1), entry(0, 0, 4)}));
  task.at(9 + 16) = kCode + 0x200;              // ip
  task.at(9 + 17) = 0x10;                       // cs of the kernel
  task.at(9 + 19) = task.stack.begin + 30 * 8;  // sp
  const UnwoundStack stack = unwind_sleeping(task.stack, orc);
  EXPECT_EQ(stack.problem, "");
  ASSERT_EQ(stack.frames.size(), 3U);
  EXPECT_EQ(stack.frames[2].code(), kCode + 0x200);
  EXPECT_EQ(stack.frames[1].code(), kCode + 0x110 - 1);
}

TEST(Unwind, SaysWhyItCannotGoOn) {
  Asleep task;
  OrcTables orc(task.memory, kOld);
  orc.add(table(task.memory, {entry(16, kSpReg, 0), entry(0, 0, 0), entry(0, 0, 4)}));
  EXPECT_NE(unwind_sleeping(task.stack, orc).problem, "");
  OrcTables circle(task.memory, kOld);
  circle.add(table(task.memory, {entry(8 - 8, kSpReg, 0), entry(0, 0, 4), entry(0, 0, 4)}));
  EXPECT_NE(unwind_sleeping(task.stack, circle).problem, "");
  EXPECT_NE(unwind_sleeping({}, orc).problem, "");
}

}  // namespace
}  // namespace stallproof
