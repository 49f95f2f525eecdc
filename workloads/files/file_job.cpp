// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_job.h"

#include <nlohmann/json.hpp>

#include "harness/board/shared_memory.h"

namespace stallproof {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobAnchor, name, path, depth, width, files, sizes,
                                   in_all_folders, shared, total_size, working_set)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobFileWorkload, workload, anchor, target, operation,
                                   read_percent, xfersizes, sequential, delete_first, share_files,
                                   select_random, select_once, poisson_midpoint, stop_after,
                                   threads, share, open_flags, sync_at_close, first_slot)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobFormat, wanted, clean_only, restart, folders_only)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileJob, anchors, workloads, format, create_anchors,
                                   assume_complete, scan_seconds, rate, distribution, seed, jvm)

FileOperations requested_operations(const JobFileWorkload& workload, bool format) {
  FileOperations wanted;
  if (format || workload.read_percent >= 0) wanted.add(FileOperation::write);
  if (!format) wanted.add(workload.operation);
  if (!format && workload.read_percent >= 0) wanted.add(FileOperation::read);
  return wanted;
}

std::string job_json(const FileJob& job) { return nlohmann::json(job).dump(); }

Result<FileJob> file_job_of_json(const std::string& text) {
  try {
    return nlohmann::json::parse(text).get<FileJob>();
  } catch (const nlohmann::json::exception& error) {
    return fail(std::string("the job cannot be read: ") + error.what(), Origin::infra);
  }
}

Result<Fd> share_job(const FileJob& job) { return share_text(job_json(job)); }

Result<FileJob> file_job_of_memory(int fd) {
  const auto text = text_of_memory(fd);
  if (!text) return Failure(text.error());
  return file_job_of_json(*text);
}

}  // namespace stallproof
