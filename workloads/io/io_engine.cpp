// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_engine.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/base/prng.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kHeadPoison = 0xb5b5a1d1, kTailPoison = 0xb5b5a2d2;

std::string advice_for(int error, const JobFile& file) {
  if (error == EINVAL && (file.open_flags & O_DIRECT) != 0)
    return "this file system does not take O_DIRECT";
  if (error == EMFILE || error == ENFILE) return "raise ulimit -n";
  if (error == ENOENT) return "its directory must exist";
  return {};
}

}  // namespace

std::byte* heap_buffer(std::size_t size) {
  constexpr std::size_t kPage = 4096;
  void* const memory =
      std::aligned_alloc(kPage, (std::max(size, kPage) + kPage - 1) / kPage * kPage);
  if (memory == nullptr) std::abort();  // nothing of the run is left to save here
  std::memset(memory, 0, size);
  return static_cast<std::byte*>(memory);
}

void fill_with_noise(std::byte* buffer, std::size_t size, std::uint64_t seed) {
  Prng prng(seed);
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = prng.next();
    std::memcpy(buffer + at, &word, sizeof word);
  }
}

void poison(std::byte* buffer, std::size_t size) {
  std::memcpy(buffer, &kHeadPoison, sizeof kHeadPoison);
  std::memcpy(buffer + size - sizeof kTailPoison, &kTailPoison, sizeof kTailPoison);
}

bool still_poisoned(const std::byte* buffer, std::size_t size) {
  return std::memcmp(buffer, &kHeadPoison, sizeof kHeadPoison) == 0 ||
         std::memcmp(buffer + size - sizeof kTailPoison, &kTailPoison, sizeof kTailPoison) == 0;
}

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
