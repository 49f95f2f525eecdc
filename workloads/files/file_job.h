// SPDX-License-Identifier: Apache-2.0
// What one worker process is to do with trees of files: the trees (anchors), the operations on
// them, or the making of them (format). Plain values; they travel to the worker as JSON in shared
// memory. Sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/files/file_operation.h"
#include "workloads/io/arrivals.h"

namespace stallproof {

// The tree below one folder.
struct JobAnchor {
  std::string name, path;
  int depth = 1, width = 1, files = 10;
  std::vector<double> sizes = {4096};      // one, pairs of size and share, or (average, 0)
  bool in_all_folders = false;             // files, not only in the lowest ones
  bool shared = false;                     // others work on it meanwhile
  double total_size = 0, working_set = 0;  // of the files that are used; 0: of all

  friend bool operator==(const JobAnchor&, const JobAnchor&) = default;
};

// One workload on one anchor.
struct JobFileWorkload {
  std::uint32_t workload = 0, anchor = 0;  // indexes; equal workloads are reported together
  std::int32_t target = -1;                // anchor of copy and move
  FileOperation operation = FileOperation::read;
  double read_percent = -1;  // -1: operation alone says it
  std::vector<double> xfersizes = {4096};
  bool sequential = true, delete_first = false, share_files = false;
  bool select_random = false, select_once = false;
  double poisson_midpoint = 0;  // 0: all files as likely
  double stop_after = 0;        // transfers of a file; below 0: percent of it; 0: its size
  unsigned threads = 1;
  double share = 0;  // of the requested operations, percent; 0: as fast as they complete
  int open_flags = 0;
  bool sync_at_close = false;
  std::uint32_t first_slot = 0;  // on the board, `threads` of them
};

// The making of trees; then a workload says with what threads and transfers an anchor is filled.
struct JobFormat {
  bool wanted = false;
  bool clean_only = false;    // what is there is removed
  bool restart = false;       // only what is missing is made
  bool folders_only = false;  // no files
};

struct FileJob {
  std::vector<JobAnchor> anchors;
  std::vector<JobFileWorkload> workloads;
  JobFormat format;
  bool create_anchors = false;
  bool assume_complete = false;  // trees are not looked at: all files are there, and full
  double scan_seconds = 3600;    // a look at the trees may take so long
  double rate = 0;               // requested operations a second; 0: as fast as they complete
  ArrivalDistribution distribution = ArrivalDistribution::exponential;
  std::uint64_t seed = 0;
  bool jvm = false;  // with what a JVM does to its memory map beside the I/O

  [[nodiscard]] std::uint32_t slots() const {
    std::uint32_t sum = 0;
    for (const JobFileWorkload& workload : workloads) sum += workload.threads;
    return sum;
  }
};

// What a workload is there for: rows count these as requested. A format: its writes.
FileOperations requested_operations(const JobFileWorkload& workload, bool format);

std::string job_json(const FileJob& job);
Result<FileJob> file_job_of_json(const std::string& text);
// Shared memory that holds the JSON, for a worker to inherit; and what a worker does with it.
Result<Fd> share_job(const FileJob& job);
Result<FileJob> file_job_of_memory(int fd);

}  // namespace stallproof
