// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_engine.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace stallproof {
namespace {

std::string advice_for(int error, const JobFile& file) {
  if (error == EINVAL && (file.open_flags & O_DIRECT) != 0)
    return "this file system does not take O_DIRECT";
  if (error == EMFILE || error == ENFILE) return "raise ulimit -n";
  if (error == ENOENT) return "its directory must exist";
  return {};
}

}  // namespace

Result<std::vector<Fd>> open_files(const IoJob& job) {
  std::vector<Fd> files;
  for (const JobFile& file : job.files) {
    const int mode = file.read_only ? O_RDONLY : O_RDWR | O_CREAT;
    Fd fd(::open(file.path.c_str(), mode | file.open_flags | O_CLOEXEC, 0666));
    if (fd.get() < 0)
      return fail_errno(fmt::format("sd={}: {}", file.name, file.path), errno,
                        advice_for(errno, file));
    files.push_back(std::move(fd));
  }
  return files;
}

std::vector<EngineThread> threads_of(const IoJob& job) {
  std::vector<EngineThread> threads;
  for (std::uint32_t file = 0; file < job.files.size(); ++file) {
    const std::uint32_t in_flight = job.files[file].threads;
    if (job.engine == IoEngine::uring) {
      threads.push_back({.file = file, .first = 0, .count = in_flight});
      continue;
    }
    for (std::uint32_t i = 0; i < in_flight; ++i) threads.push_back({.file = file, .first = i});
  }
  return threads;
}

}  // namespace stallproof
