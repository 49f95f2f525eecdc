// SPDX-License-Identifier: Apache-2.0
// A file that the file system wants no page cache for, mapped privately: threads of even index
// fault on it, those of odd index map it once more. A fault locks the page until it has been read;
// mapping the file drops its cached pages first, waits for that page, and holds mmap_lock for write
// (invalidate_inode_pages2 in fuse_file_mmap for FOPEN_DIRECT_IO, fs/fuse/file.c, 6.1 to 6.12).
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "workloads/catalogue.h"
#include "workloads/fault_guard.h"
#include "workloads/ffs/pattern.h"
#include "workloads/victim/victim_file.h"

namespace stallproof {
namespace {

constexpr std::size_t kPages = 16;
constexpr std::size_t kBytes = kPages * kVictimPage;

class DirectMmap : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override;

 private:
  bool fault(WorkerContext& ctx, std::size_t page);
  bool map(WorkerContext& ctx);

  VictimFile file_;
  std::byte* mapping_ = nullptr;
};

Result<> DirectMmap::prepare(const LoadContext& load) {
  if (auto caught = catch_fault_signals(); !caught) return caught;
  auto file = VictimFile::make(load, "direct-mmap", kPages);
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  std::array<std::byte, kVictimPage> page{};
  for (std::size_t at = 0; at < kBytes; at += page.size()) {
    fill_pattern(at, page);
    const ssize_t written = ::pwrite(file_.fd(), page.data(), page.size(), static_cast<off_t>(at));
    if (written != static_cast<ssize_t>(page.size()))
      return fail_errno("direct-mmap: fill its file", errno);
  }
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, file_.fd(), 0);
  if (memory == MAP_FAILED) return fail_errno("direct-mmap: map its file", errno);
  mapping_ = static_cast<std::byte*>(memory);
  return {};
}

void DirectMmap::cleanup() noexcept {
  if (mapping_ != nullptr) ::munmap(mapping_, kBytes);
  file_ = {};
}

// The mapping threads drop the page from the cache; this drops it from the mapping.
bool DirectMmap::fault(WorkerContext& ctx, std::size_t page) {
  const std::size_t at = page * kVictimPage;
  std::array<std::byte, sizeof(std::uint64_t)> found{};
  {
    OpScope op(ctx.slot, Op::page_fault, at);
    if (guarded_copy(found.data(), mapping_ + at, found.size())) {
      op.failed(ErrorKind::sigbus);
      return false;
    }
    op.done(kVictimPage);
  }
  if (first_wrong_byte(at, found)) count_one(ctx.slot.mismatches);
  OpScope op(ctx.slot, Op::madvise, at);
  return ::madvise(mapping_ + at, kVictimPage, MADV_DONTNEED) == 0;
}

bool DirectMmap::map(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::mmap, 0);
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, file_.fd(), 0);
  const bool done = memory != MAP_FAILED && ::munmap(memory, kBytes) == 0;
  if (!done) op.failed();
  return done;
}

Result<> DirectMmap::run(WorkerContext& ctx) {
  const bool faults = ctx.index % 2 == 0;
  for (std::size_t round = 0; !ctx.stopping(); ++round)
    if (!(faults ? fault(ctx, round % kPages) : map(ctx))) ctx.pause(kPauseAfterFailure);
  return {};
}

constexpr std::string_view kExercises[] = {"mmap_lock.write", "folio_lock", "fuse.read_folio"};

}  // namespace

WorkloadInfo direct_mmap_workload();
WorkloadInfo direct_mmap_workload() {
  return {.name = "direct-mmap",
          .thread_prefix = "direct-mmap",
          .summary = "page faults on a file of its own, verified, while it is mapped over and over",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 2,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<DirectMmap>()); }};
}

}  // namespace stallproof
