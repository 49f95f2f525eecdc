// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/format_run.h"

#include <memory>

#include "harness/base/open_directory.h"
#include "workloads/files/anchor_disk.h"
#include "workloads/files/open_file.h"

namespace stallproof {
namespace {

constexpr Nanos kLookAgain = kMillisecond;

void count_one(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

class FormatThread {
 public:
  FormatThread(FileContext& context, const FileThread& thread)
      : context_(context),
        workload_(context.job.workloads[thread.workload]),
        anchor_(workload_.anchor),
        tree_(*context.trees[anchor_]),
        state_(*context.formats[anchor_]),
        progress_(context.panel.progress()[anchor_]),
        calls_(context, thread),
        prng_(Prng::mix(context.job.seed + context.slot_of(thread) + 1)),
        removes_(thread.index == 0) {}

  void run() {
    const JobFormat& format = context_.job.format;
    if (!format.restart) remove_old();
    if (format.clean_only) return finish();
    stage(FormatStage::folders);
    make_folders();
    wait_for_all(state_.in_folders);
    if (format.folders_only) return finish();
    stage(FormatStage::files);
    make_files();
    wait_for_all(state_.in_files);
    finish();
  }

 private:
  void stage(FormatStage stage) {
    progress_.stage.store(static_cast<std::uint32_t>(stage), std::memory_order_relaxed);
  }
  void finish() {
    if (!context_.stopping()) stage(FormatStage::done);
  }
  void wait_for_all(std::atomic<std::uint32_t>& count) {
    count.fetch_sub(1);
    while (count.load() > 0 && !context_.stopping())
      context_.sleep_until(monotonic_now() + kLookAgain);
  }

  void remove_old() {
    if (removes_) {
      stage(FormatStage::removing);
      remove_below(tree_.anchor().path);
      state_.removed.store(true);
    }
    while (!state_.removed.load() && !context_.stopping())
      context_.sleep_until(monotonic_now() + kLookAgain);
  }

  // Only what bears our names. What else is there keeps its folder, and that ends the format.
  void remove_below(const std::string& path) {
    const OpenDirectory open = open_directory(path);
    if (!open) {
      if (errno != ENOENT) end_by(FileOperation::rmdir, path, errno);
      return;
    }
    const bool shared = tree_.anchor().shared;
    while (const dirent* const entry = ::readdir(open.get())) {
      if (context_.stopping()) return;
      const Target target{.anchor = anchor_, .path = path + "/" + entry->d_name};
      int error = 0;
      if (is_folder_name(entry->d_name) && entry->d_type != DT_LNK) {
        remove_below(target.path);
        if (context_.stopping()) return;
        error = calls_.remove_folder(target, shared);
      } else if (is_file_name(entry->d_name)) {
        error = calls_.remove_file(target, shared);
      } else {
        continue;
      }
      if (error != 0) return context_.end_by(error);
      count_one(progress_.removed);
    }
  }

  void end_by(FileOperation operation, const std::string& path, int error) {
    calls_.note(operation, {.anchor = anchor_, .folder = true, .path = path}, error);
    context_.end_by(error);
  }

  // Each folder of the first level, with all below it, by one thread.
  void make_folders() {
    const auto width = static_cast<std::uint32_t>(tree_.anchor().width);
    while (!context_.stopping()) {
      const std::uint32_t top = state_.next_top.fetch_add(1);
      if (top >= width) return;
      std::vector<FolderNumber> open = {top};
      while (!open.empty() && !context_.stopping()) {
        const FolderNumber folder = open.back();
        open.pop_back();
        if (!make_folder(folder)) return;
        for (const FolderNumber child : tree_.children(folder)) open.push_back(child);
      }
    }
  }

  bool make_folder(FolderNumber folder) {
    if (!tree_.folder_exists(folder)) {
      const int error = calls_.make_folder(calls_.folder(anchor_, folder), tree_.anchor().shared);
      if (error != 0) {
        context_.end_by(error);
        return false;
      }
      tree_.set_folder_there(folder);
    }
    count_one(progress_.folders_made);
    return true;
  }

  void make_files() {
    const FileChoice in_order{.once = true};
    while (!context_.stopping()) {
      const auto file = tree_.next_file(in_order, prng_);
      if (!file) return;
      if (tree_.exists(*file) && tree_.full(*file))
        count_one(progress_.files_made);
      else if (tree_.take_alone(*file))
        make_file(*file);
    }
  }

  void make_file(FileNumber file) {
    const bool was_there = tree_.exists(file);
    const Nanos began = monotonic_now();
    const auto made = OpenFile::open(calls_, workload_, anchor_, file, false);
    if (!made) return;
    if (was_there) made->continue_from_end(drawn_size(workload_.xfersizes, prng_));
    while (!context_.stopping() &&
           made->place_next(Transfer::write, drawn_size(workload_.xfersizes, prng_)))
      made->make(Transfer::write);
    made->close();
    if (!tree_.full(file)) return;
    calls_.count(FileOperation::create, began);
    count_one(progress_.files_made);
  }

  FileContext& context_;
  const JobFileWorkload& workload_;
  std::uint32_t anchor_;
  AnchorTree& tree_;
  FormatState& state_;
  AnchorProgress& progress_;
  FileCalls calls_;
  Prng prng_;
  bool removes_;
};

}  // namespace

void run_format_thread(FileContext& context, const FileThread& thread) {
  FormatThread self(context, thread);
  if (context.wait_for_run(context.slots_of(thread))) self.run();
}

}  // namespace stallproof
