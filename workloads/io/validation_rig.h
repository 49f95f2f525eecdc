// SPDX-License-Identifier: Apache-2.0
// For tests: one temporary file, the key map of it, and jobs made on it by the psync engine's own
// threads, in this process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "workloads/io/io_engine.h"

namespace stallproof {

using Bytes = std::vector<std::byte>;

// What came of a job.
struct JobOutcome {
  std::vector<FaultRecord> faults;
  IoTotals totals;
  std::uint64_t validated = 0, bad = 0, mismatches = 0;
};

class ValidationRig {
 public:
  static constexpr std::uint32_t kBlock = 4096;
  static constexpr std::uint64_t kBlocks = 64;
  static constexpr std::uint64_t kSize = kBlocks * kBlock;

  explicit ValidationRig(bool keep_times = false) {
    file_ = Fd(::mkstemp(path_.data()));
    EXPECT_EQ(::ftruncate(file_.get(), static_cast<off_t>(kSize)), 0);
    const KeyMapSpec spec{kSize, kBlock};
    auto made = KeyMaps::create({&spec, 1}, kSize, keep_times);
    EXPECT_TRUE(made) << made.error().what;
    maps = std::move(*made);
    job.files = {{.name = "sd1", .path = path_, .size = kSize, .threads = 1, .key_block = kBlock}};
    job.validation.on = true;
  }
  ValidationRig(const ValidationRig&) = delete;
  ValidationRig& operator=(const ValidationRig&) = delete;
  ~ValidationRig() { ::unlink(path_.c_str()); }

  // All blocks, once.
  static JobStream whole_file(double read_percent, double transfer = kBlock) {
    return {.xfersizes = {transfer},
            .read_percent = read_percent,
            .seek_percent = 0,
            .high = kSize,
            .stop_at_end = true};
  }
  JobOutcome write_all(double transfer = kBlock) { return run(whole_file(0, transfer)); }
  JobOutcome read_all(double transfer = kBlock) { return run(whole_file(100, transfer)); }

  void prepare(EngineContext& context, const JobStream& stream) {
    job.streams = {stream};
    const unsigned threads = job.files[0].threads;
    context.job = job;
    const Board::LoadSpec load{"io", threads};
    context.board = std::move(*Board::create({&load, 1}, 1));
    context.panel = std::move(*IoPanel::create(threads, 1));
    context.files = std::move(*open_files(job));
    context.source = make_source(context.job);
    auto validation = attach_validation(job, maps.fd());
    EXPECT_TRUE(validation) << validation.error().what;
    context.validation = std::move(*validation);
  }

  // Until the stream ends or `enough` says so, 5 s at most.
  JobOutcome run(const JobStream& stream,
                 const std::function<bool(const JobOutcome&)>& enough = {}) {
    EngineContext context;
    prepare(context, stream);
    std::atomic<unsigned> left{0};
    std::vector<std::thread> running;
    for (const EngineThread& thread : threads_of(job, context.files))
      running.emplace_back([&context, &left, thread] {
        run_psync_thread(context, thread);
        left.fetch_add(1);
      });
    context.board.set_phase(Phase::run);
    const Deadline latest = Deadline::in(5 * kSecond);
    while (left.load() < running.size() && !latest.passed() && !(enough && enough(seen(context))))
      ::usleep(500);
    context.board.set_phase(Phase::stop);
    for (std::thread& thread : running) thread.join();
    return seen(context);
  }

  [[nodiscard]] Bytes block(std::uint64_t number) const {
    Bytes bytes(kBlock);
    EXPECT_EQ(::pread(file_.get(), bytes.data(), kBlock, static_cast<off_t>(number * kBlock)),
              ssize_t{kBlock});
    return bytes;
  }
  void put_block(std::uint64_t number, const Bytes& bytes) {
    EXPECT_EQ(
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(number * kBlock)),
        static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] KeyMap map() { return maps.map(0); }

  IoJob job;
  KeyMaps maps;

 private:
  static JobOutcome seen(EngineContext& context) {
    JobOutcome outcome;
    std::uint64_t next = 0;
    outcome.faults = context.panel.faults_since(next);
    const unsigned threads = context.job.files[0].threads;
    outcome.totals = context.panel.totals(0, 0, threads, 0);
    outcome.validated = context.panel.header().validated_blocks.load();
    outcome.bad = context.panel.header().bad_blocks.load();
    for (const BoardSlot& slot : context.board.slots())
      outcome.mismatches += slot.mismatches.load();
    return outcome;
  }

  std::string path_ = "/tmp/stallproof-valid-XXXXXX";
  Fd file_;
};

}  // namespace stallproof
