// SPDX-License-Identifier: Apache-2.0
// One shared mapping of a file and three kinds of threads in its process: thread 0 writes pages
// that are clean, so that the file system is asked first (page_mkwrite, with the lock of the VMA
// held; mm/memory.c, 6.18); thread 1 changes the protection of the same VMA, for which the kernel
// waits, mmap_lock held for write, until nobody holds the VMA's lock (__vma_start_write); all
// others map, touch and unmap memory elsewhere.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "workloads/catalogue.h"
#include "workloads/content/test_file.h"
#include "workloads/first_few.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 64;  // the first says whose the file is, and is left alone
constexpr std::size_t kElsewhere = 16 * kPage;
constexpr Nanos kThink = kMillisecond;
// Never without the right to write: thread 0 goes on whatever thread 1 does.
constexpr int kProtections[] = {PROT_READ | PROT_WRITE, PROT_WRITE};

class PageWrite : public Workload {
 public:
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override {
    if (mapping_ != nullptr) ::munmap(mapping_, kPages * kPage);
    mapping_ = nullptr;
  }

 private:
  void write_page(WorkerContext& ctx, std::uint64_t turn);
  void protect(WorkerContext& ctx, std::uint64_t turn);
  void touch_elsewhere(WorkerContext& ctx);
  void check(OpScope& op, const char* call, bool worked) {
    if (worked) return;
    const int error = errno;
    op.failed();
    if (failures_.wanted())
      failures_.tell(fmt::format("page-write: {}: {}", call, std::strerror(error)));
  }

  TestFile file_;
  std::byte* mapping_ = nullptr;
  FirstFew failures_;
};

Result<> PageWrite::prepare(const LoadContext& load) {
  auto file = open_test_file(
      {.load = "page-write", .path = load.file, .size = kPages * kPage, .changes = true});
  if (!file) return Failure{file.error()};
  file_ = std::move(*file);
  void* const at = ::mmap(nullptr, kPages * kPage, kProtections[0], MAP_SHARED, file_.fd.get(), 0);
  if (at == MAP_FAILED) return fail_errno("page-write: map " + load.file, errno);
  mapping_ = static_cast<std::byte*>(at);
  return {};
}

Result<> PageWrite::run(WorkerContext& ctx) {
  // By what they do: the one that waits for the file system is not one of those that wait for it.
  const char* const kinds[] = {"page-write", "vma-protect", "map-touch"};
  const unsigned kind = ctx.index < 2 ? ctx.index : 2;
  ::pthread_setname_np(::pthread_self(), fmt::format("{}/{}", kinds[kind], ctx.index).c_str());
  for (std::uint64_t turn = 0; !ctx.stopping(); ++turn) {
    if (kind == 0)
      write_page(ctx, turn);
    else if (kind == 1)
      protect(ctx, turn);
    else
      touch_elsewhere(ctx);
    ctx.pause(kThink);
  }
  return {};
}

// Written back at once, so that it is clean, and write-protected, when its turn comes again.
void PageWrite::write_page(WorkerContext& ctx, std::uint64_t turn) {
  const std::size_t offset = (1 + turn % (kPages - 1)) * kPage;
  {
    OpScope op(ctx.slot, Op::page_fault, offset);
    std::atomic_ref(*reinterpret_cast<std::uint64_t*>(mapping_ + offset)).store(turn);
    op.done(kPage);
  }
  OpScope op(ctx.slot, Op::msync, offset);
  check(op, "msync", ::msync(mapping_ + offset, kPage, MS_SYNC) == 0);
}

void PageWrite::protect(WorkerContext& ctx, std::uint64_t turn) {
  OpScope op(ctx.slot, Op::mprotect, 0);
  check(op, "mprotect", ::mprotect(mapping_, kPages * kPage, kProtections[(turn + 1) % 2]) == 0);
}

void PageWrite::touch_elsewhere(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::mmap, 0);
  void* const at =
      ::mmap(nullptr, kElsewhere, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(op, "mmap", at != MAP_FAILED);
  if (at == MAP_FAILED) return;
  for (std::size_t page = 0; page < kElsewhere; page += kPage)
    *(static_cast<volatile std::byte*>(at) + page) = std::byte{1};
  check(op, "munmap", ::munmap(at, kElsewhere) == 0);
}

constexpr std::string_view kExercises[] = {"vma_lock", "mmap_lock.write", "page_mkwrite"};

}  // namespace

WorkloadInfo page_write_workload();
WorkloadInfo page_write_workload() {
  return {.name = "page-write",
          .thread_prefix = "page-write",
          .summary = "writes clean pages of a mapping whose protection is changed meanwhile",
          .exercises = kExercises,
          .parameters = {},
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<PageWrite>()); }};
}

}  // namespace stallproof
