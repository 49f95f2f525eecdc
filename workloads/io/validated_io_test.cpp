// SPDX-License-Identifier: Apache-2.0
// Jobs with data validation on real files that keep what is written to them.
#include "workloads/io/validated_io.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstring>

#include "workloads/io/io_worker.h"
#include "workloads/io/java_random.h"
#include "workloads/io/validation_rig.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBlocks = ValidationRig::kBlocks;
constexpr std::uint32_t kBlock = ValidationRig::kBlock;

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

TEST(ValidatedIo, TransferMayBeKnownInPart) {
  ValidationRig rig;
  JobStream one = ValidationRig::whole_file(0);
  one.high = kBlock;
  rig.run(one);
  const JobOutcome written = rig.write_all(16384);
  EXPECT_EQ(written.totals.write.count, kBlocks / 4);
  EXPECT_EQ(written.totals.read.count, 1U);
  EXPECT_EQ(written.validated, 1U);
  EXPECT_EQ(rig.read_all().validated, kBlocks);
}

// One thread's I/Os as they are made, with nothing behind them: reads give what was written.
struct WatchedIo {
  struct Seen {
    IoRequest io;
    bool busy = false;
    std::uint8_t key = 0;
  };
  explicit WatchedIo(ValidationRig& rig) {
    rig.prepare(context, random_io(0));
    validated.emplace(context, EngineThread{}, IoBuffers{buffer.data(), buffer.data()},
                      [this, &rig](const IoRequest& io) {
                        const std::uint64_t block = io.offset / kBlock;
                        seen.push_back({io, rig.map().busy(block), rig.map().key(block)});
                        return 0;
                      });
  }
  EngineContext context;
  Bytes buffer = Bytes(kBlock);
  std::optional<ValidatedIo> validated;
  std::vector<Seen> seen;
  Chooser chooser{1, 0};
};

TEST(ValidatedIo, BlockUnderAWriteIsBusyAndOfUnknownContent) {
  ValidationRig rig;
  rig.job.validation.read_after_write = true;
  WatchedIo watched(rig);
  const IoRequest write{.write = true, .offset = 3 * kBlock, .size = kBlock};
  watched.validated->make(write, watched.chooser);
  const std::uint8_t key = rig.map().key(3);
  watched.validated->make(write, watched.chooser);
  ASSERT_EQ(watched.seen.size(), 5U);
  EXPECT_EQ(watched.seen[2].key, key) << "the read before it";
  EXPECT_EQ(watched.seen[3].key, kBadKey) << "the write";
  EXPECT_EQ(watched.seen[4].key, kBadKey) << "the read behind it";
  for (const WatchedIo::Seen& each : watched.seen) EXPECT_TRUE(each.busy);
  EXPECT_FALSE(rig.map().busy(3));
}

TEST(ValidatedIo, OnlyTheFirstOfSeveralIosWasDue) {
  ValidationRig rig;
  rig.job.validation.read_after_write = true;
  WatchedIo watched(rig);
  const IoRequest write{.write = true, .offset = 0, .size = kBlock, .due = 77};
  watched.validated->make(write, watched.chooser);
  watched.validated->make(write, watched.chooser);
  std::vector<Nanos> due;
  for (const WatchedIo::Seen& each : watched.seen) due.push_back(each.io.due);
  EXPECT_EQ(due, (std::vector<Nanos>{77, 0, 77, 0, 0}));
}

TEST(ValidatedIo, AnotherBlockIsTakenInPlaceOfABusyOne) {
  ValidationRig rig;
  WatchedIo watched(rig);
  std::vector<std::uint8_t> keys(kBlocks - 1);
  ASSERT_EQ(rig.map().try_acquire(0, keys), KeyMap::Taken::yes);
  watched.validated->make({.write = true, .offset = 0, .size = kBlock, .due = 77}, watched.chooser);
  ASSERT_EQ(watched.seen.size(), 1U);
  EXPECT_EQ(watched.seen[0].io.offset, (kBlocks - 1) * kBlock);
  EXPECT_EQ(watched.seen[0].io.due, 77U);
}

TEST(ValidatedIo, WaitForABlockEndsWithTheRun) {
  ValidationRig rig;
  WatchedIo watched(rig);
  std::vector<std::uint8_t> keys(kBlocks);
  ASSERT_EQ(rig.map().try_acquire(0, keys), KeyMap::Taken::yes);
  std::thread ender([&] {
    ::usleep(20'000);
    watched.context.board.set_phase(Phase::stop);
  });
  watched.validated->make({.write = true, .offset = 0, .size = kBlock}, watched.chooser);
  ender.join();
  EXPECT_TRUE(watched.seen.empty());
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

TEST(ValidatedIo, WorkerProcessTakesTheMapsItIsGiven) {
  ValidationRig rig;
  EngineContext context;
  rig.prepare(context, ValidationRig::whole_file(0));
  const auto job = share_job(rig.job);
  ASSERT_TRUE(job) << job.error().what;
  const auto word = [](const char* name, int fd) { return name + std::to_string(fd); };
  const std::vector<std::string> words = {word("board=", context.board.fd()),
                                          word("panel=", context.panel.fd()),
                                          word("job=", job->get()), word("maps=", rig.maps.fd())};
  const pid_t worker = ::fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) ::_exit(run_io_role(words));
  context.board.set_phase(Phase::run);
  int status = 0;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(rig.map().known(), kBlocks);
  EXPECT_EQ(rig.read_all().validated, kBlocks);
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
