// SPDX-License-Identifier: Apache-2.0
// What jobs with data validation say of damage that is done between two of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "workloads/io/validation_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBlocks = ValidationRig::kBlocks;
constexpr std::uint32_t kBlock = ValidationRig::kBlock;
constexpr std::uint64_t kVictim = 9;

// Damage to a block; `old` is what it held one write before.
struct Damage {
  const char* name;
  BlockClass what;
  void (*make)(Bytes& block, const Bytes& old, const Bytes& neighbour);
  std::uint32_t bad_sectors, first_bad;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class DamagedBlock : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedBlock, IsReportedOnceAndNothingElseIs) {
  const Damage& damage = GetParam();
  ValidationRig rig;
  rig.write_all();
  const Bytes old = rig.block(kVictim);
  rig.write_all();
  Bytes block = rig.block(kVictim);
  damage.make(block, old, rig.block(kVictim + 1));
  rig.put_block(kVictim, block);
  const std::uint8_t key = rig.map().key(kVictim);

  const JobOutcome found = rig.read_all(16384);
  ASSERT_EQ(found.faults.size(), 1U);
  const FaultRecord& fault = found.faults[0];
  EXPECT_EQ(fault.error, kCorruption);
  EXPECT_FALSE(fault.write);
  EXPECT_EQ(fault.offset, 8U * kBlock);
  EXPECT_EQ(fault.size, 16384U);
  EXPECT_EQ(fault.block.offset, kVictim * kBlock);
  EXPECT_EQ(fault.block.size, kBlock);
  EXPECT_EQ(fault.block.place, 0U);
  EXPECT_EQ(fault.block.of_io, 1U);
  EXPECT_EQ(fault.block.expected_key, key);
  EXPECT_EQ(fault.block.found_by, LastUse::read);
  EXPECT_EQ(fault.block.report.what, damage.what);
  EXPECT_EQ(fault.block.report.bad_sectors, damage.bad_sectors);
  EXPECT_EQ(fault.block.report.first_bad, damage.first_bad);
  EXPECT_EQ(found.validated, kBlocks - 1);
  EXPECT_EQ(found.bad, 1U);
  EXPECT_EQ(found.mismatches, 1U);
  EXPECT_EQ(rig.map().bad(), 1U);

  const JobOutcome again = rig.read_all();
  EXPECT_TRUE(again.faults.empty()) << "it was not to be touched again";
  EXPECT_EQ(again.validated, kBlocks - 1);
}

void lose_write(Bytes& block, const Bytes& old, const Bytes&) { block = old; }
void tear(Bytes& block, const Bytes& old, const Bytes&) {
  std::copy(old.begin() + 2560, old.end(), block.begin() + 2560);
}
void misdirect(Bytes& block, const Bytes&, const Bytes& neighbour) { block = neighbour; }
void overwrite(Bytes& block, const Bytes&, const Bytes&) {
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 7 + 3);
}
void flip(Bytes& block, const Bytes&, const Bytes&) { block[3 * 512 + 100] ^= std::byte{4}; }
void clear(Bytes& block, const Bytes&, const Bytes&) { block.assign(block.size(), std::byte{0}); }

INSTANTIATE_TEST_SUITE_P(
    ValidatedIo, DamagedBlock,
    ::testing::Values(Damage{"lost_write", BlockClass::lost_write, lose_write, 8, 0},
                      Damage{"torn", BlockClass::torn, tear, 3, 5},
                      Damage{"misdirected", BlockClass::misdirected, misdirect, 8, 0},
                      Damage{"overwritten", BlockClass::overwritten, overwrite, 8, 0},
                      Damage{"corrupted", BlockClass::corrupted, flip, 1, 3},
                      Damage{"zero", BlockClass::zero, clear, 8, 0}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ValidatedDamage, LostWriteTellsItsOldKey) {
  ValidationRig rig;
  rig.write_all();
  const Bytes old = rig.block(kVictim);
  const std::uint8_t old_key = rig.map().key(kVictim);
  rig.write_all();
  rig.put_block(kVictim, old);
  const JobOutcome found = rig.read_all();
  ASSERT_EQ(found.faults.size(), 1U);
  EXPECT_EQ(found.faults[0].block.report.found.key, old_key);
  EXPECT_EQ(found.faults[0].block.expected_key, old_key % kLastValidationKey + 1);
  EXPECT_FALSE(found.faults[0].block.report.pattern_mismatch);
  EXPECT_EQ(found.faults[0].block.report.found.owner, static_cast<std::uint32_t>(::getpid()));
}

TEST(ValidatedDamage, BadBlocksOfOneIoAreCountedThrough) {
  ValidationRig rig;
  rig.write_all();
  const Bytes zeroes(kBlock);
  for (const std::uint64_t number : {8, 10, 11}) rig.put_block(number, zeroes);
  const JobOutcome found = rig.read_all(16384);
  ASSERT_EQ(found.faults.size(), 3U);
  for (std::uint32_t place = 0; place < 3; ++place) {
    EXPECT_EQ(found.faults[place].block.place, place);
    EXPECT_EQ(found.faults[place].block.of_io, 3U);
    EXPECT_EQ(found.faults[place].offset, 8U * kBlock);
  }
  EXPECT_EQ(found.validated, kBlocks - 3);
}

TEST(ValidatedDamage, WriteLeavesWhatItsPrereadFoundBad) {
  ValidationRig rig(true);
  rig.write_all();
  Bytes damaged = rig.block(kVictim);
  damaged[600] ^= std::byte{1};
  rig.put_block(kVictim, damaged);
  const JobOutcome second = rig.write_all();
  ASSERT_EQ(second.faults.size(), 1U);
  EXPECT_EQ(second.faults[0].block.found_by, LastUse::pre_read);
  EXPECT_EQ(second.faults[0].block.last_use.use, LastUse::write);
  EXPECT_NEAR(static_cast<double>(second.faults[0].block.last_use.at_ms),
              static_cast<double>(realtime_now() / kMillisecond), 5000);
  EXPECT_EQ(second.totals.write.count, kBlocks - 1);
  EXPECT_EQ(rig.block(kVictim), damaged);
}

// /dev/zero takes every write and keeps none.
TEST(ValidatedDamage, ReadAfterWriteFindsADeviceThatDropsWrites) {
  ValidationRig rig;
  rig.job.validation.read_after_write = true;
  rig.job.files[0].path = "/dev/zero";
  const JobOutcome outcome = rig.write_all();
  ASSERT_EQ(outcome.faults.size(), kBlocks);
  for (const FaultRecord& fault : outcome.faults) {
    EXPECT_EQ(fault.block.found_by, LastUse::read_back);
    EXPECT_EQ(fault.block.report.what, BlockClass::zero);
  }
  EXPECT_EQ(outcome.validated, 0U);
}

}  // namespace
}  // namespace stallproof
