// SPDX-License-Identifier: Apache-2.0
// Page faults on a mapped file: touch a page, verify it, make it fault again (by default: drop it
// from the mapping and from the page cache, so that every touch is a read by the file system,
// however long the run).
#include <fmt/format.h>

#include <algorithm>

#include "workloads/catalogue.h"
#include "workloads/content/test_file.h"
#include "workloads/fault/fault_thread.h"
#include "workloads/victim/arming.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = FaultMapping::kPage;

class MappedFault : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { load_.mapping.unmap(); }

 private:
  Result<> plan_touches(std::uint64_t begin, std::uint64_t file_pages, unsigned threads);
  Result<> expect_content(std::uint64_t file_pages);

  FaultLoad load_;
};

Result<> MappedFault::configure(const LoadContext& load) {
  auto options = read_fault_options(load.settings);
  if (!options) return Failure{options.error()};
  load_.options = *options;
  return {};
}

Result<> MappedFault::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  const FaultOptions& options = load_.options;
  load_.path = load.file;
  auto file = open_test_file({.load = "mapped-fault",
                              .path = load.file,
                              .size = options.file_size,
                              .changes = options.changes_file(),
                              .share = options.share});
  if (!file) return Failure{file.error()};
  const std::uint64_t begin = file->begin / kPage, pages = file->size / kPage;
  if (auto planned = plan_touches(begin, pages, load.threads); !planned) return planned;
  if (auto expected = expect_content(begin + pages); !expected) return expected;
  if (auto caught = catch_fault_signals(); !caught) return caught;
  return load_.mapping.map(std::move(*file), load.file, options);
}

// The first page of what changes says whose it is, and is left alone. In pages; `begin`: of the
// load's part of the file.
Result<> MappedFault::plan_touches(std::uint64_t begin, std::uint64_t file_pages,
                                   unsigned threads) {
  const FaultOptions& options = load_.options;
  const std::uint64_t first = options.changes_file() || options.share.shared() ? 1 : 0;
  std::uint64_t pages = file_pages > first ? file_pages - first : 0;
  if (options.hot_pages != 0) pages = std::min(pages, options.hot_pages);
  const std::uint64_t windows = pages / options.window;
  if (windows == 0)
    return fail(fmt::format("mapped-fault: {} holds {} pages, fault-window={} needs {} at least",
                            load_.path, file_pages, options.window, options.window + first));
  const bool shared = options.hot_pages != 0 || windows < threads;
  if (shared && options.writes())
    return fail(
        fmt::format("mapped-fault: {} holds {} windows of {} pages, and each of {} threads "
                    "that write needs its own (a larger file-size, a smaller fault-window)",
                    load_.path, windows, options.window, threads));
  load_.plan = {.first_page = begin + first,
                .windows = windows,
                .window = options.window,
                .threads = threads,
                .shared = shared,
                .order = options.order,
                .stride = options.stride};
  return {};
}

Result<> MappedFault::expect_content(std::uint64_t file_pages) {
  const FaultOptions& options = load_.options;
  const bool others_drop = load_.plan.shared || options.retouch->drops_all;
  auto content = ExpectedContent::create(
      {.block = kPage,
       .blocks = file_pages,
       .tracked = options.writes() || options.changes_file() || options.share.many_writers,
       .zeros_any_time = options.retouch->changes_file && others_drop && load_.plan.threads > 1,
       .any_writer = options.share.many_writers});
  if (!content) return fail("mapped-fault: " + content.error().what);
  load_.content = std::move(*content);
  return {};
}

Result<> MappedFault::run(WorkerContext& ctx) {
  while (load_.options.begin_armed && !ctx.stopping() && armed_since(ctx.board) == 0)
    ctx.pause(kMillisecond);
  FaultThread thread(load_, ctx);
  thread.run();
  return {};
}

constexpr std::string_view kExercises[] = {"mmap_lock.read", "filemap.fault", "fuse.read_folio"};

}  // namespace

WorkloadInfo mapped_fault_workload();
WorkloadInfo mapped_fault_workload() {
  return {.name = "mapped-fault",
          .thread_prefix = "fault",
          .summary = "page faults on a mapping of the file, what they bring is verified",
          .exercises = kExercises,
          .parameters = fault_parameters(),
          .default_threads = 4,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<MappedFault>()); }};
}

}  // namespace stallproof
