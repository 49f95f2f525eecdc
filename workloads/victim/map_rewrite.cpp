// SPDX-License-Identifier: Apache-2.0
// One mapping, four parts to play, by the thread's index: msync of its page, a write to it,
// mprotect of it, and mmap of memory elsewhere. A write to a page that is being written
// back waits with the mapping's own lock held (fuse_page_mkwrite calls folio_wait_writeback,
// fs/fuse/file.c, 6.12); mprotect, with mmap_lock held for write, waits for that lock
// (__vma_start_write, 6.4); then everybody waits. Before 6.8 faults on files took no lock of the
// mapping's: there the writer waits with mmap_lock held for read.
#include <sys/mman.h>

#include <array>

#include "workloads/catalogue.h"
#include "workloads/fault_guard.h"
#include "workloads/victim/victim_file.h"

namespace stallproof {
namespace {

constexpr unsigned kParts = 4;
// A fault that finds the mapping locked for write, as mprotect leaves it until it gives mmap_lock
// up, takes mmap_lock instead (vma_start_read, 6.4 to 6.18): those who take it pause in between.
constexpr Nanos kBetweenWriters = kMillisecond;

class MapRewrite : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override;

 private:
  bool play(WorkerContext& ctx, std::uint64_t round);
  bool sync(WorkerContext& ctx);
  bool write(WorkerContext& ctx, std::uint64_t round);
  bool protect(WorkerContext& ctx, std::uint64_t round);
  static bool touch_elsewhere(WorkerContext& ctx);

  VictimFile file_;
  std::byte* mapping_ = nullptr;
};

Result<> MapRewrite::prepare(const LoadContext& load) {
  if (auto caught = catch_fault_signals(); !caught) return caught;
  auto file = VictimFile::make(load, "map-rewrite", 1);
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  void* const memory =
      ::mmap(nullptr, kVictimPage, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
  if (memory == MAP_FAILED) return fail_errno("map-rewrite: map " + load.file, errno);
  mapping_ = static_cast<std::byte*>(memory);
  return {};
}

void MapRewrite::cleanup() noexcept {
  if (mapping_ != nullptr) ::munmap(mapping_, kVictimPage);
  file_ = {};
}

bool MapRewrite::sync(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::msync, 0);
  const bool done = ::msync(mapping_, kVictimPage, MS_SYNC) == 0;
  if (!done) op.failed();
  return done;
}

bool MapRewrite::write(WorkerContext& ctx, std::uint64_t round) {
  OpScope op(ctx.slot, Op::page_fault, 0);
  std::array<std::byte, sizeof round> word{};
  for (std::size_t i = 0; i < word.size(); ++i) word[i] = std::byte(round >> (8 * i));
  const bool done = !guarded_copy(mapping_ + ctx.index * word.size(), word.data(), word.size());
  if (!done) op.failed(ErrorKind::sigbus);
  op.done(word.size());
  return done;
}

// All of the mapping: one that was cut in two is never joined again, FUSE's have a close operation
// (is_mergeable_vma, mm/vma.c, 6.12). Nobody reads, so that the write goes on in between.
bool MapRewrite::protect(WorkerContext& ctx, std::uint64_t round) {
  OpScope op(ctx.slot, Op::mprotect, 0);
  const int allowed = round % 2 == 0 ? PROT_WRITE : PROT_READ | PROT_WRITE;
  const bool done = ::mprotect(mapping_, kVictimPage, allowed) == 0;
  if (!done) op.failed();
  return done;
}

bool MapRewrite::touch_elsewhere(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::mmap, 0);
  void* const page = ::mmap(nullptr, kVictimPage, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  const bool done = page != MAP_FAILED && ::munmap(page, kVictimPage) == 0;
  if (!done) op.failed();
  return done;
}

bool MapRewrite::play(WorkerContext& ctx, std::uint64_t round) {
  switch (ctx.index % kParts) {
    case 0:
      return sync(ctx);
    case 1:
      return write(ctx, round);
    case 2:
      return protect(ctx, round);
    default:
      return touch_elsewhere(ctx);
  }
}

Result<> MapRewrite::run(WorkerContext& ctx) {
  const bool takes_mmap_lock = ctx.index % kParts >= 2;
  for (std::uint64_t round = 0; !ctx.stopping(); ++round) {
    if (!play(ctx, round))
      ctx.pause(kPauseAfterFailure);
    else if (takes_mmap_lock)
      ctx.pause(kBetweenWriters);
  }
  return {};
}

constexpr std::string_view kExercises[] = {"vma_lock.read", "mmap_lock.write", "writeback"};

}  // namespace

WorkloadInfo map_rewrite_workload();
WorkloadInfo map_rewrite_workload() {
  return {
      .name = "map-rewrite",
      .thread_prefix = "map-rewrite",
      .summary = "writes to a mapped page while it is written back; mprotect of the same mapping",
      .exercises = kExercises,
      .parameters = {},
      .default_threads = kParts,
      .unsupported = nullptr,
      .make = [] { return std::unique_ptr<Workload>(std::make_unique<MapRewrite>()); }};
}

}  // namespace stallproof
