// SPDX-License-Identifier: Apache-2.0
// What one worker process is to do: files to open, streams of I/O to make on them, and how. Plain
// values; they travel to the worker as JSON in shared memory. Sizes and offsets in bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/io/arrivals.h"

namespace stallproof {

// psync: one thread and one pread or pwrite for each I/O in flight, heap buffers, one descriptor
// for all threads of a file, as vdbench. uring: one thread for each file, registered buffers and
// file; its pages are pinned once, so no I/O looks up a user page and takes mmap_lock.
enum class IoEngine { psync, uring };

// A file or device under test.
struct JobFile {
  std::string name, path;
  std::uint64_t size = 0;   // bytes that are used
  std::uint64_t align = 0;  // of random offsets; 0: the transfer size
  unsigned threads = 8;     // I/Os in flight
  int open_flags = 0;       // besides the access mode
  bool read_only = false;
  bool sync_at_end = false;
  std::uint32_t first_slot = 0;  // on the board, `threads` of them
  // Of data validation: every offset and transfer is a whole number of key blocks. 0: none.
  std::uint32_t key_block = 0;
  std::uint32_t key_map = 0;  // index in KeyMaps
};

// Data validation (-v): what is written says what it is, and what is read is checked. psync only.
struct JobValidation {
  bool on = false;
  bool read_after_write = false;  // -vr
  bool no_preread = false;        // -vw: a write does not first check what it overwrites
  bool keep_times = false;        // -vt: the maps are made with times
};

// One workload on one file.
struct JobStream {
  std::uint32_t workload = 0, file = 0;  // indexes; equal workloads are reported together
  std::vector<double> xfersizes = {4096};
  double read_percent = 100, seek_percent = 100, read_hits = 0, write_hits = 0;
  std::uint64_t low = 0, high = 0;          // where misses go
  std::uint64_t hit_low = 0, hit_high = 0;  // where hits go
  bool wraps = false;        // `high` is beyond the end of the file and goes on at its beginning
  bool stop_at_end = false;  // a sequential one that ends
  bool hot_middle = false;   // hotband: more often in the middle of the range
  std::optional<std::array<std::uint64_t, 2>> stride;
  unsigned parts = 1;  // sequential streams side by side, each in its own part of the range
  double rate = 0;     // I/Os a second; 0: as fast as they complete
};

struct IoJob {
  IoEngine engine = IoEngine::psync;
  std::vector<JobFile> files;
  std::vector<JobStream> streams;
  ArrivalDistribution distribution = ArrivalDistribution::exponential;
  std::uint64_t seed = 0;
  bool jvm = false;  // with what a JVM does to its memory map beside the I/O
  JobValidation validation;

  // Rates, or the shares of several workloads, are kept: one schedule for all streams.
  [[nodiscard]] bool paced() const {
    for (const JobStream& stream : streams)
      if (stream.rate > 0) return true;
    return false;
  }
  [[nodiscard]] std::uint64_t largest_transfer(std::uint32_t file) const;
};

// Largest of a size, of pairs of size and share, or of (least, most, align).
std::uint64_t largest_of(const std::vector<double>& xfersizes);

std::string job_json(const IoJob& job);
Result<IoJob> job_of_json(const std::string& text);
// Shared memory that holds the JSON, for a worker to inherit; and what a worker does with it.
Result<Fd> share_job(const IoJob& job);
Result<IoJob> job_of_memory(int fd);

}  // namespace stallproof
