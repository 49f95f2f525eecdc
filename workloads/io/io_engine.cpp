// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/uio.h>

#include <algorithm>

namespace stallproof {
namespace {

std::string advice_for(int error, const JobFile& file) {
  if (error == EINVAL && (file.open_flags & O_DIRECT) != 0)
    return "this file system does not take O_DIRECT";
  if (error == EMFILE || error == ENFILE) return "raise ulimit -n";
  if (error == ENOENT) return "its directory must exist";
  return {};
}

// A ring for each CPU only helps where its workers make the I/O, and each has enough in flight: for
// small transfers handing over is what costs, for large ones the copying, which one worker of a
// ring does alone as long as it never sleeps (io_wq_worker_sleeping, io_uring/io-wq.c, 6.18).
constexpr std::uint64_t kLargeTransfer = 32U << 10U;
std::uint32_t least_of_a_ring(std::uint64_t transfer) { return transfer < kLargeTransfer ? 16 : 2; }

// How many of a file's I/Os in flight each of its threads has.
std::vector<std::uint32_t> shares_of(std::uint32_t in_flight, std::uint32_t threads) {
  std::vector<std::uint32_t> shares(threads, in_flight / threads);
  for (std::uint32_t i = 0; i < in_flight % threads; ++i) ++shares[i];
  return shares;
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

std::vector<int> usable_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

// Asked behind every end.
bool never_blocks(const Fd& file) {
  const HeapBuffer page = heap_buffer(4096);
  const iovec piece{page.get(), 4096};
  constexpr off_t kBehindAll = off_t{1} << 62U;
  return ::preadv2(file.get(), &piece, 1, kBehindAll, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

std::vector<EngineThread> threads_of(const IoJob& job, std::span<const Fd> opened) {
  const auto files = static_cast<std::uint32_t>(job.files.size());
  const auto cpus = static_cast<std::uint32_t>(std::max<std::size_t>(1, usable_cpus().size()));
  const std::uint32_t most_rings = (cpus + files - 1) / std::max(1U, files);
  std::vector<EngineThread> threads;
  for (std::uint32_t file = 0; file < files; ++file) {
    const std::uint32_t in_flight = job.files[file].threads;
    std::uint32_t count = in_flight;
    if (job.engine == IoEngine::uring)
      count =
          never_blocks(opened[file])
              ? 1
              : std::clamp(in_flight / least_of_a_ring(job.largest_transfer(file)), 1U, most_rings);
    std::uint32_t first = 0;
    for (const std::uint32_t share : shares_of(in_flight, std::max(1U, count))) {
      threads.push_back({.file = file,
                         .first = first,
                         .count = share,
                         .number = static_cast<std::uint32_t>(threads.size())});
      first += share;
    }
  }
  for (EngineThread& thread : threads) thread.of = static_cast<std::uint32_t>(threads.size());
  return threads;
}

}  // namespace stallproof
