// SPDX-License-Identifier: Apache-2.0
// Maps a page of a file, writes to it and drops the mapping. The file system hears of the end of a
// mapping while mmap_lock is held, and FUSE writes the page back then: fuse_vma_close calls
// write_inode_now (fs/fuse/file.c, 6.1 to 6.18). munmap holds the lock for read by then
// (vms_complete_munmap_vmas, 6.12), a mapping put over the old one for write (__mmap_region).
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/fault_guard.h"
#include "workloads/victim/victim_file.h"

namespace stallproof {
namespace {

class MapDrop : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { file_ = {}; }

 private:
  using Stamp = std::array<std::byte, sizeof(std::uint64_t)>;

  std::byte* map(WorkerContext& ctx);
  bool rewrite(WorkerContext& ctx, std::byte* page, const std::optional<Stamp>& before,
               const Stamp& after);
  bool drop(WorkerContext& ctx, std::byte* page) const;

  bool over_ = false;  // dropped by a mapping put over it
  VictimFile file_;
  std::vector<std::byte*> places_;  // over_: of each thread
};

Result<> MapDrop::configure(const LoadContext& load) {
  const auto by = load.settings.choice("drop-by", "munmap", {"munmap", "map-fixed"});
  if (!by) return Failure{by.error()};
  over_ = *by == "map-fixed";
  return {};
}

Result<> MapDrop::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  if (auto caught = catch_fault_signals(); !caught) return caught;
  auto file = VictimFile::make(load, "map-drop", load.threads);
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  for (unsigned i = 0; i < load.threads; ++i) {
    void* const place = ::mmap(nullptr, kVictimPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return fail_errno("map-drop: reserve a page", errno);
    places_.push_back(static_cast<std::byte*>(place));
  }
  return {};
}

std::byte* MapDrop::map(WorkerContext& ctx) {
  const std::size_t offset = ctx.index * kVictimPage;
  OpScope op(ctx.slot, Op::mmap, offset);
  void* const page =
      ::mmap(over_ ? places_[ctx.index] : nullptr, kVictimPage, PROT_READ | PROT_WRITE,
             MAP_SHARED | (over_ ? MAP_FIXED : 0), file_.fd(), static_cast<off_t>(offset));
  if (page != MAP_FAILED) return static_cast<std::byte*>(page);
  op.failed();
  return nullptr;
}

bool MapDrop::rewrite(WorkerContext& ctx, std::byte* page, const std::optional<Stamp>& before,
                      const Stamp& after) {
  OpScope op(ctx.slot, Op::page_fault, ctx.index * kVictimPage);
  Stamp found{};
  if (guarded_copy(found.data(), page, found.size()) ||
      guarded_copy(page, after.data(), after.size())) {
    op.failed(ErrorKind::sigbus);
    return false;
  }
  if (before && found != *before) count_one(ctx.slot.mismatches);
  op.done(after.size());
  return true;
}

bool MapDrop::drop(WorkerContext& ctx, std::byte* page) const {
  OpScope op(ctx.slot, over_ ? Op::mmap : Op::munmap, ctx.index * kVictimPage);
  const bool dropped = over_ ? ::mmap(page, kVictimPage, PROT_NONE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED
                             : ::munmap(page, kVictimPage) == 0;
  if (!dropped) op.failed();
  return dropped;
}

Result<> MapDrop::run(WorkerContext& ctx) {
  Prng prng(ctx.seed);
  std::optional<Stamp> before;
  while (!ctx.stopping()) {
    std::byte* const page = map(ctx);
    if (page == nullptr) {
      ctx.pause(kPauseAfterFailure);
      continue;
    }
    Stamp after{};
    const std::uint64_t word = prng.next();
    std::memcpy(after.data(), &word, sizeof word);
    const bool written = rewrite(ctx, page, before, after);
    before = written ? std::optional(after) : std::nullopt;
    if (!drop(ctx, page) || !written) ctx.pause(kPauseAfterFailure);
  }
  return {};
}

constexpr std::string_view kExercises[] = {"mmap_lock.write", "fuse.vma_close", "writeback"};
constexpr WorkloadParameter kParameters[] = {
    {"drop-by", "munmap", "munmap, or map-fixed: a mapping put over the old one"}};

}  // namespace

WorkloadInfo map_drop_workload();
WorkloadInfo map_drop_workload() {
  return {.name = "map-drop",
          .thread_prefix = "map-drop",
          .summary = "maps a page of a file of its own, writes to it, verifies it, drops it",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 1,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<MapDrop>()); }};
}

}  // namespace stallproof
