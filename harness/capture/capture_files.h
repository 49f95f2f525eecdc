// SPDX-License-Identifier: Apache-2.0
// From what was seen to files, and from files to a place that takes them. Controller only.
#pragma once

#include <string>
#include <vector>

#include "harness/capture/live_look.h"
#include "harness/capture/sources.h"
#include "harness/capture/tar_gz.h"
#include "harness/explain/explanation.h"

namespace stallproof {

struct CaptureFacts {
  const LiveLook& look;
  const Explanation& explanation;
  const std::vector<SourceResult>& sources;
  const std::vector<std::string>& problems;
  Nanos realtime_ns;
};

std::string incident_json(const CaptureFacts& facts);
// Everything a capture holds, incident.json first.
std::vector<ArchiveFile> capture_files(const CaptureFacts& facts);

// Writes all files into a new directory and the archive beside it, by a child that is given up on
// at the deadline: the disk may be the one that is stuck. An existing capture is not touched.
Result<> write_capture(const std::string& directory, const std::string& archive_path,
                       const std::vector<ArchiveFile>& files, Nanos realtime_ns, Deadline deadline);

}  // namespace stallproof
