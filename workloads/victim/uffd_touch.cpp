// SPDX-License-Identifier: Apache-2.0
// Threads that touch memory whose pages another thread of the program brings (a virtual machine
// that is moved, a checkpoint that is restored): thread 0 answers the faults, the last thread reads
// by process_vm_readv, for which the kernel faults on its behalf, all others touch. Once the run is
// armed thread 0 answers no more.
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "workloads/catalogue.h"
#include "workloads/first_few.h"
#include "workloads/victim/arming.h"
#include "workloads/victim/uffd_region.h"

namespace stallproof {
namespace {

constexpr std::size_t kPagesEach = 16;
constexpr Nanos kThink = kMillisecond;
constexpr Nanos kPatience = 20 * kMillisecond;

class UffdTouch : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { region_.reset(); }

 private:
  void answer_faults(WorkerContext& ctx);
  void answer(WorkerContext& ctx, std::size_t page, std::vector<std::byte>& bytes);
  void touch_pages(WorkerContext& ctx);
  [[nodiscard]] std::uint64_t touch(WorkerContext& ctx, std::size_t page) const;
  std::uint64_t read_remotely(WorkerContext& ctx, std::size_t page);
  void drop(WorkerContext& ctx, std::size_t page);

  std::unique_ptr<UffdRegion> region_;
  Nanos lasts_ = 0;
  unsigned threads_ = 0;
  std::atomic<unsigned> touching_ = 0;  // threads that may wait for an answer
  FirstFew failures_;
};

Result<> UffdTouch::configure(const LoadContext& load) {
  const auto lasts = load.settings.duration("uffd-lasts", 0);
  if (!lasts) return Failure{lasts.error()};
  if (load.threads < 3)
    return fail("threads: 3 at least are needed: one answers, one touches, one reads");
  lasts_ = *lasts;
  return {};
}

Result<> UffdTouch::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  threads_ = load.threads;
  auto region = UffdRegion::map(load.threads * kPagesEach);
  if (!region) return fail("uffd-touch: " + region.error().what, region.error().origin);
  region_ = std::move(*region);
  return {};
}

Result<> UffdTouch::run(WorkerContext& ctx) {
  if (ctx.index == 0)
    answer_faults(ctx);
  else
    touch_pages(ctx);
  return {};
}

// Whoever is still in a fault when the load ends is answered, too.
void UffdTouch::answer_faults(WorkerContext& ctx) {
  std::vector<std::byte> bytes(UffdRegion::kPage);
  while (!ctx.stopping() || touching_.load() != 0) {
    if (misbehaves(ctx, lasts_))
      ctx.pause(kPatience);
    else if (const auto page = region_->next_fault(kPatience))
      answer(ctx, *page, bytes);
  }
}

void UffdTouch::answer(WorkerContext& ctx, std::size_t page, std::vector<std::byte>& bytes) {
  OpScope op(ctx.slot, Op::serve_page, page * UffdRegion::kPage);
  const std::uint64_t stamp = page + 1;
  std::memcpy(bytes.data(), &stamp, sizeof stamp);
  const int error = region_->answer(page, bytes.data());
  if (error == 0) return op.done(UffdRegion::kPage);
  op.failed(error);
  if (failures_.wanted())
    failures_.tell(std::string("uffd-touch: answer a fault: ") + std::strerror(error));
}

void UffdTouch::touch_pages(WorkerContext& ctx) {
  const bool reads = ctx.index + 1 == threads_;
  touching_.fetch_add(1);
  for (std::size_t turn = 0; !ctx.stopping(); ++turn) {
    const std::size_t page = ctx.index * kPagesEach + turn % kPagesEach;
    const std::uint64_t stamp = reads ? read_remotely(ctx, page) : touch(ctx, page);
    if (stamp != page + 1) count_one(ctx.slot.mismatches);
    drop(ctx, page);
    ctx.pause(kThink);
  }
  touching_.fetch_sub(1);
}

std::uint64_t UffdTouch::touch(WorkerContext& ctx, std::size_t page) const {
  OpScope op(ctx.slot, Op::page_fault, page * UffdRegion::kPage);
  op.done(UffdRegion::kPage);
  return *reinterpret_cast<const volatile std::uint64_t*>(region_->page(page));
}

std::uint64_t UffdTouch::read_remotely(WorkerContext& ctx, std::size_t page) {
  OpScope op(ctx.slot, Op::read, page * UffdRegion::kPage);
  std::uint64_t stamp = 0;
  const iovec local{&stamp, sizeof stamp};
  const iovec remote{region_->page(page), sizeof stamp};
  if (::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == sizeof stamp) return stamp;
  const int error = errno;
  op.failed();
  if (failures_.wanted())
    failures_.tell(std::string("uffd-touch: process_vm_readv: ") + std::strerror(error));
  return page + 1;
}

// So that the next touch is a fault again.
void UffdTouch::drop(WorkerContext& ctx, std::size_t page) {
  OpScope op(ctx.slot, Op::page_drop, page * UffdRegion::kPage);
  if (::madvise(region_->page(page), UffdRegion::kPage, MADV_DONTNEED) != 0) op.failed();
}

constexpr std::string_view kExercises[] = {"userfaultfd.missing", "mmap_lock.read"};
constexpr WorkloadParameter kParameters[] = {
    {"uffd-lasts", "0s",
     "once a scenario has armed it no fault is answered for so long; 0s: until the run ends"},
};

}  // namespace

WorkloadInfo uffd_touch_workload();
WorkloadInfo uffd_touch_workload() {
  return {.name = "uffd-touch",
          .thread_prefix = "uffd-touch",
          .summary = "touches memory whose pages a thread of its own brings (userfaultfd)",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 5,
          .unsupported = UffdRegion::unsupported,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<UffdTouch>()); }};
}

}  // namespace stallproof
