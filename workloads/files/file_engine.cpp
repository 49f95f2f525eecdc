// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_engine.h"

#include <algorithm>

#include "workloads/files/anchor_disk.h"
#include "workloads/files/control_file.h"
#include "workloads/files/file_thread.h"
#include "workloads/files/format_run.h"

namespace stallproof {
namespace {

bool some_workload(const FileJob& job, std::initializer_list<FileOperation> operations) {
  return std::any_of(job.workloads.begin(), job.workloads.end(), [&](const auto& workload) {
    return std::find(operations.begin(), operations.end(), workload.operation) != operations.end();
  });
}

// Removing what is there begins with an empty tree: no need to look.
bool removes_first(const FileJob& job) { return job.format.wanted && !job.format.restart; }

Result<std::unique_ptr<AnchorTree>> tree_of(const FileJob& job, const JobAnchor& anchor,
                                            Deadline deadline) {
  if (auto good = check_anchor(anchor, job.create_anchors); !good) return Failure(good.error());
  auto tree = AnchorTree::plan(anchor, job.format.wanted);
  if (!tree || removes_first(job)) return tree;
  if (!anchor.shared)
    if (auto good = check_control_file(**tree); !good) return Failure(good.error());
  if (job.assume_complete) {
    assume_complete(**tree);
    return tree;
  }
  if (auto scanned = scan_tree(**tree, deadline); !scanned) return Failure(scanned.error());
  return tree;
}

std::uint32_t threads_on(const FileJob& job, std::size_t anchor) {
  std::uint32_t sum = 0;
  for (const JobFileWorkload& workload : job.workloads)
    if (workload.anchor == anchor) sum += workload.threads;
  return sum;
}

void begin_format(FileContext& context, std::size_t anchor) {
  const AnchorTree& tree = *context.trees[anchor];
  AnchorProgress& progress = context.panel.progress()[anchor];
  const JobFormat& format = context.job.format;
  if (!format.clean_only) progress.folders_wanted.store(tree.folders());
  if (!format.clean_only && !format.folders_only) progress.files_wanted.store(tree.used_files());
  context.formats.push_back(std::make_unique<FormatState>());
  context.formats.back()->in_folders = threads_on(context.job, anchor);
  context.formats.back()->in_files = threads_on(context.job, anchor);
}

}  // namespace

void FileContext::end_by(int error) {
  std::int32_t none = 0;
  panel.header().ended_by.compare_exchange_strong(none, error);
  ended.store(true);
}

Result<> prepare_trees(FileContext& context) {
  const FileJob& job = context.job;
  const auto span = static_cast<Nanos>(job.scan_seconds * static_cast<double>(kSecond));
  const Deadline deadline = Deadline::in(span);
  for (std::size_t i = 0; i < job.anchors.size(); ++i) {
    auto tree = tree_of(job, job.anchors[i], deadline);
    if (!tree) return Failure(tree.error());
    context.trees.push_back(std::move(*tree));
    if (job.format.wanted) begin_format(context, i);
  }
  context.makes_files =
      some_workload(job, {FileOperation::create, FileOperation::write, FileOperation::copy});
  context.removes_files = some_workload(job, {FileOperation::erase, FileOperation::move});
  context.makes_folders = some_workload(job, {FileOperation::mkdir});
  context.removes_folders = some_workload(job, {FileOperation::rmdir});
  context.pace = std::make_unique<FilePace>(job);
  return {};
}

void begin_control_files(const FileContext& context) {
  const bool changes = context.job.format.wanted || context.makes_files || context.removes_files ||
                       context.makes_folders || context.removes_folders;
  if (!changes) return;
  for (const auto& tree : context.trees)
    // One that cannot be written is one that cannot be written at the end either, and told there.
    if (!tree->anchor().shared && !write_control_file(*tree, ControlTime::begin)) return;
}

Result<> end_control_files(const FileContext& context) {
  for (const auto& tree : context.trees) {
    if (tree->anchor().shared) continue;
    if (auto written = write_control_file(*tree, ControlTime::end); !written) return written;
  }
  return {};
}

std::vector<FileThread> threads_of(const FileJob& job) {
  std::vector<FileThread> threads;
  for (std::uint32_t workload = 0; workload < job.workloads.size(); ++workload)
    for (std::uint32_t i = 0; i < job.workloads[workload].threads; ++i)
      threads.push_back({.workload = workload, .index = i});
  return threads;
}

void run_file_thread(FileContext& context, const FileThread& thread) {
  if (context.job.format.wanted) return run_format_thread(context, thread);
  FileTurns turns(context, thread);
  if (!context.wait_for_run(context.slots_of(thread))) return;
  std::call_once(context.begun, [&context] { context.pace->begin(monotonic_now()); });
  turns.run();
}

}  // namespace stallproof
