// SPDX-License-Identifier: Apache-2.0
// Jobs with data validation on real files, and what they say of damage done between two of them.
#include "workloads/io/validated_io.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "workloads/io/java_random.h"
#include "workloads/io/validation_rig.h"

// Engines never free their buffers.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:heap_buffer"; }

namespace stallproof {
namespace {

constexpr std::uint64_t kBlocks = ValidationRig::kBlocks;
constexpr std::uint32_t kBlock = ValidationRig::kBlock;
constexpr std::uint64_t kVictim = 9;

JobStream random_io(double read_percent, double transfer = kBlock) {
  return {.xfersizes = {transfer}, .read_percent = read_percent, .high = ValidationRig::kSize};
}

auto after_writes(std::uint64_t count) {
  return [count](const JobOutcome& outcome) { return outcome.totals.write.count >= count; };
}

TEST(ValidatedIo, WhatWasWrittenIsReadAsGood) {
  ValidationRig rig;
  const JobOutcome written = rig.write_all();
  EXPECT_EQ(written.totals.write.count, kBlocks);
  EXPECT_EQ(written.totals.read.count, 0U) << "there was nothing to check before the writes";
  EXPECT_EQ(rig.map().known(), kBlocks);
  const JobOutcome read = rig.read_all();
  EXPECT_EQ(read.totals.read.count, kBlocks);
  EXPECT_EQ(read.validated, kBlocks);
  EXPECT_EQ(rig.map().validated(), kBlocks);
  EXPECT_TRUE(read.faults.empty());
}

TEST(ValidatedIo, LargerTransfersAreCheckedBlockByBlock) {
  ValidationRig rig;
  EXPECT_EQ(rig.write_all(16384).totals.write.count, kBlocks / 4);
  EXPECT_EQ(rig.read_all().validated, kBlocks);
  EXPECT_EQ(rig.read_all(32768).validated, kBlocks);
}

TEST(ValidatedIo, WhatNobodyWroteIsReadAndNotChecked) {
  ValidationRig rig;
  const JobOutcome read = rig.run(
      random_io(100), [](const JobOutcome& outcome) { return outcome.totals.read.count >= 200; });
  EXPECT_GE(read.totals.read.count, 200U);
  EXPECT_EQ(read.validated, 0U);
  EXPECT_TRUE(read.faults.empty());
}

TEST(ValidatedIo, ReadOfAllToTheEndPassesByWhatIsUnknown) {
  ValidationRig rig;
  JobStream half = ValidationRig::whole_file(0);
  half.high = ValidationRig::kSize / 2;
  rig.run(half);
  const JobOutcome read = rig.read_all();
  EXPECT_EQ(read.totals.read.count, kBlocks / 2);
  EXPECT_EQ(read.validated, kBlocks / 2);
}

TEST(ValidatedIo, SecondWriteFirstReadsWhatItOverwrites) {
  ValidationRig rig;
  rig.write_all();
  const JobOutcome second = rig.write_all();
  EXPECT_EQ(second.totals.read.count, kBlocks);
  EXPECT_EQ(second.totals.write.count, kBlocks);
  EXPECT_EQ(second.validated, kBlocks);
}

TEST(ValidatedIo, NoPrereadAsksForWritesAlone) {
  ValidationRig rig;
  rig.job.validation.no_preread = true;
  rig.write_all();
  EXPECT_EQ(rig.write_all().totals.read.count, 0U);
  EXPECT_EQ(rig.read_all().validated, kBlocks);
}

TEST(ValidatedIo, ReadAfterWriteReadsEachWrite) {
  ValidationRig rig;
  rig.job.validation.read_after_write = true;
  const JobOutcome first = rig.write_all();
  EXPECT_EQ(first.totals.read.count, kBlocks);
  EXPECT_EQ(first.validated, kBlocks);
}

TEST(ValidatedIo, KeysOfOneBlockGoRound) {
  ValidationRig rig;
  rig.job.validation.read_after_write = true;
  JobStream stream = random_io(0);
  stream.high = kBlock;
  const JobOutcome outcome = rig.run(stream, after_writes(400));
  EXPECT_GE(outcome.totals.write.count, 400U) << "keys went round three times";
  EXPECT_TRUE(outcome.faults.empty());
  EXPECT_EQ(rig.read_all().validated, 1U);
}

TEST(ValidatedIo, ManyThreadsOnFewBlocksNeverMeet) {
  ValidationRig rig;
  rig.job.files[0].threads = 8;
  JobStream stream = random_io(40);
  stream.xfersizes = {4096, 50, 8192, 30, 32768, 20};
  const JobOutcome outcome = rig.run(stream, after_writes(5000));
  EXPECT_GE(outcome.totals.write.count, 5000U);
  EXPECT_GT(outcome.validated, 5000U);
  EXPECT_TRUE(outcome.faults.empty());
  rig.job.files[0].threads = 1;
  EXPECT_EQ(rig.read_all().validated, rig.map().known());
  EXPECT_EQ(rig.map().settle_abandoned(), 0U);
}

TEST(ValidatedIo, ScheduledIoIsValidatedToo) {
  ValidationRig rig;
  rig.job.files[0].threads = 4;
  JobStream stream = random_io(50);
  stream.rate = 5000;
  const JobOutcome outcome = rig.run(stream, after_writes(500));
  EXPECT_GE(outcome.totals.write.count, 500U);
  EXPECT_GT(outcome.validated, 500U);
  EXPECT_TRUE(outcome.faults.empty());
}

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

TEST(ValidatedIo, LostWriteTellsItsOldKey) {
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

TEST(ValidatedIo, BadBlocksOfOneIoAreCountedThrough) {
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

TEST(ValidatedIo, WriteLeavesWhatItsPrereadFoundBad) {
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

TEST(ValidatedIo, FailedWriteLeavesItsBlocksBadAndIsNoCorruption) {
  ValidationRig rig;
  rig.job.files[0].read_only = true;
  JobStream stream = ValidationRig::whole_file(0, 8192);
  stream.high = 16384;
  const JobOutcome written = rig.run(stream);
  ASSERT_EQ(written.faults.size(), 2U);
  EXPECT_EQ(written.faults[0].error, EBADF);
  EXPECT_EQ(written.bad, 4U);
  EXPECT_EQ(rig.map().bad(), 4U);
  EXPECT_EQ(rig.read_all().totals.read.count, 0U);
}

// /dev/zero takes every write and keeps none.
TEST(ValidatedIo, ReadAfterWriteFindsADeviceThatDropsWrites) {
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

TEST(ValidatedIo, MapOutlivesTheWorkerThatFilledIt) {
  ValidationRig rig;
  const pid_t worker = ::fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    rig.write_all();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(rig.map().known(), kBlocks);
  const JobOutcome read = rig.read_all();
  EXPECT_EQ(read.validated, kBlocks);
  EXPECT_TRUE(read.faults.empty());
}

// As in the measured dump; the data from the documentation of java.util.Random alone.
Bytes block_of_vdbench(std::uint64_t offset) {
  Bytes block(kBlock);
  JavaRandom random(0);
  std::vector<std::uint32_t> stream((offset + kBlock) / 4);
  for (std::uint32_t& word : stream)
    word = static_cast<std::uint32_t>(random.unit() * 2147483647.0);
  std::memcpy(block.data(), stream.data() + offset / 4, kBlock);
  for (std::uint32_t at = 0; at < kBlock; at += 512) {
    const std::array<std::uint32_t, 8> header = {
        0x00000000, static_cast<std::uint32_t>(offset) + at,
        0x000001a2, 0x02e16810,
        0x57fe0000, 0x20316473,
        0x20202020, 0x00002571};
    std::memcpy(block.data() + at, header.data(), sizeof header);
  }
  return block;
}

TEST(ValidatedIo, BlockThatVdbenchWroteIsGoodOnceItsKeyIsKnown) {
  ValidationRig rig;
  rig.put_block(1, block_of_vdbench(0x1000));
  std::vector<std::uint8_t> keys(kBlocks, kUnknownKey);
  keys[1] = 0x57;
  rig.map().fill(keys);
  const JobOutcome read = rig.read_all();
  EXPECT_TRUE(read.faults.empty());
  EXPECT_EQ(read.validated, 1U);
}

TEST(ValidatedIo, MapOfOtherBlocksIsRefused) {
  ValidationRig rig;
  rig.job.streams = {random_io(0)};
  rig.job.files[0].key_block = 8192;
  EXPECT_FALSE(attach_validation(rig.job, rig.maps.fd()));
  rig.job.files[0] = {.name = "sd1", .key_block = kBlock, .key_map = 1};
  EXPECT_FALSE(attach_validation(rig.job, rig.maps.fd()));
  rig.job.files[0].key_map = 0;
  EXPECT_TRUE(attach_validation(rig.job, rig.maps.fd()));
  rig.job.engine = IoEngine::uring;
  EXPECT_FALSE(attach_validation(rig.job, rig.maps.fd()));
}

TEST(ValidatedIo, JobKeepsItsValidationOnTheWay) {
  ValidationRig rig;
  rig.job.validation = {
      .on = true, .read_after_write = true, .no_preread = false, .keep_times = true};
  rig.job.files[0].key_map = 3;
  const auto read = job_of_json(job_json(rig.job));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->validation.on && read->validation.read_after_write);
  EXPECT_TRUE(read->validation.keep_times && !read->validation.no_preread);
  EXPECT_EQ(read->files[0].key_block, kBlock);
  EXPECT_EQ(read->files[0].key_map, 3U);
}

}  // namespace
}  // namespace stallproof
