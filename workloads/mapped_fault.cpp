// SPDX-License-Identifier: Apache-2.0
// Page faults on a mapped file: touch a random page, verify it, drop it from the mapping and from
// the page cache, so that every touch is a read by the file system, however long the run.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/base/fd.h"
#include "harness/base/prng.h"
#include "workloads/catalogue.h"
#include "workloads/ffs/pattern.h"
#include "workloads/sigbus_guard.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;

class MappedFault : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override;

 private:
  Result<> map_file();
  std::uint64_t pick_page(Prng& prng, unsigned index) const;
  void fault(WorkerContext& ctx, std::byte* page, std::uint64_t offset) const;
  void verify_and_drop(WorkerContext& ctx, std::byte* page, std::uint64_t offset) const;

  bool drop_page(std::byte* page, std::uint64_t offset) const;

  Fd file_;
  std::size_t size_ = 0;
  std::uint64_t pages_ = 0;
  unsigned threads_ = 1;
  bool shared_ = false;  // all threads touch all pages
  std::byte* mapping_ = nullptr;
};

Result<> MappedFault::prepare(const LoadContext& load) {
  const auto hot = load.settings.count("hot-pages", 0);
  if (!hot) return Failure{hot.error()};
  file_ = Fd(::open(load.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_.valid()) return fail_errno("mapped-fault: open " + load.file, errno);
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return fail_errno("mapped-fault: stat " + load.file, errno);
  size_ = static_cast<std::size_t>(info.st_size) / kPage * kPage;
  pages_ = *hot == 0 ? size_ / kPage : std::min<std::uint64_t>(*hot, size_ / kPage);
  threads_ = load.threads;
  shared_ = *hot != 0 || pages_ < threads_;
  if (pages_ == 0) return fail(fmt::format("mapped-fault: {} holds no whole page", load.file));
  if (auto caught = catch_sigbus(); !caught) return caught;
  return map_file();
}

// One mapping for all threads: then a thread's drop unmaps the page for all of them and the page
// cache can let it go. With a mapping for each thread a page that several threads like stays mapped
// somewhere, is never read again, and the experiment is quiet because nothing happens in it.
Result<> MappedFault::map_file() {
  void* base = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (base == MAP_FAILED) return fail_errno("mapped-fault: map the file", errno);
  mapping_ = static_cast<std::byte*>(base);
  // No readahead: one touch is one page read, in the faulting thread's name.
  if (::madvise(base, size_, MADV_RANDOM) != 0)
    return fail_errno("mapped-fault: madvise MADV_RANDOM", errno);
  return {};
}

// Each thread has pages of its own, unless only hot pages are wanted: a page dropped by one thread
// between another's two tries is a real second try, which a healthy file system must not show.
std::uint64_t MappedFault::pick_page(Prng& prng, unsigned index) const {
  if (shared_) return prng.below(pages_);
  return prng.below(pages_ / threads_) * threads_ + index;
}

Result<> MappedFault::run(WorkerContext& ctx) {
  Prng prng(ctx.seed);
  while (!ctx.stopping()) {
    const std::uint64_t offset = pick_page(prng, ctx.index) * kPage;
    fault(ctx, mapping_ + offset, offset);
    verify_and_drop(ctx, mapping_ + offset, offset);
  }
  return {};
}

// The touch alone is one operation: the service takes a second read of the page within it for the
// fault's second try.
void MappedFault::fault(WorkerContext& ctx, std::byte* page, std::uint64_t offset) const {
  bool arrived = false;
  {
    OpScope op(ctx.slot, Op::page_fault, offset);
    arrived = guarded_touch(page);
    if (arrived)
      op.done(kPage);
    else
      op.failed();
  }
  if (arrived) return;
  count_one(ctx.slot.sigbus);
  ctx.pause(kPauseAfterFailure);
}

// MADV_PAGEOUT (5.4+) unmaps the page and takes it from the page cache. The older way waits at
// times in __lru_add_drain_all (mm/swap.c, 6.18) for a kernel worker on every CPU, which on a busy
// machine was seen to take more than a second: a dropout that says nothing about the file system.
bool MappedFault::drop_page(std::byte* page, std::uint64_t offset) const {
  if (::madvise(page, kPage, MADV_PAGEOUT) == 0) return true;
  return errno == EINVAL && ::madvise(page, kPage, MADV_DONTNEED) == 0 &&
         ::posix_fadvise(file_.get(), static_cast<off_t>(offset), kPage, POSIX_FADV_DONTNEED) == 0;
}

// The page may have been taken away again since the touch, so this may fault and wait too.
void MappedFault::verify_and_drop(WorkerContext& ctx, std::byte* page, std::uint64_t offset) const {
  OpScope op(ctx.slot, Op::page_drop, offset);
  std::array<std::byte, kPage> copy;
  if (!guarded_copy(copy.data(), page, kPage))
    count_one(ctx.slot.sigbus);
  else if (first_wrong_byte(offset, copy))
    count_one(ctx.slot.mismatches);
  if (!drop_page(page, offset)) op.failed();
}

void MappedFault::cleanup() noexcept {
  if (mapping_ != nullptr) ::munmap(mapping_, size_);
  mapping_ = nullptr;
}

constexpr std::string_view kExercises[] = {"mmap_lock.read", "filemap.fault", "fuse.read_folio"};
constexpr WorkloadParameter kParameters[] = {
    {"hot-pages", "0", "touch only the first N pages of the file; 0: all"},
};

}  // namespace

WorkloadInfo mapped_fault_workload();
WorkloadInfo mapped_fault_workload() {
  return {.name = "mapped-fault",
          .thread_prefix = "fault",
          .summary = "page faults on a shared mapping of the file, every byte verified",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<MappedFault>()); }};
}

}  // namespace stallproof
