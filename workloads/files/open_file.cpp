// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/open_file.h"

#include <fcntl.h>

#include <algorithm>

namespace stallproof {

std::uint32_t drawn_size(const std::vector<double>& xfersizes, Prng& prng) {
  if (xfersizes.size() < 2) return static_cast<std::uint32_t>(xfersizes[0]);
  const auto drawn = static_cast<double>(prng.below(100));
  double total = 0;
  for (std::size_t i = 0; i + 1 < xfersizes.size(); i += 2) {
    total += xfersizes[i + 1];
    if (drawn < total) return static_cast<std::uint32_t>(xfersizes[i]);
  }
  return static_cast<std::uint32_t>(xfersizes[xfersizes.size() - 2]);
}

OpenFile::OpenFile(FileCalls& calls, const JobFileWorkload& workload, std::uint32_t anchor,
                   FileNumber file)
    : calls_(calls),
      workload_(workload),
      tree_(*calls.context().trees[anchor]),
      target_(calls.file(anchor, file)),
      file_(file) {}

std::unique_ptr<OpenFile> OpenFile::open(FileCalls& calls, const JobFileWorkload& workload,
                                         std::uint32_t anchor, FileNumber file, bool to_read) {
  std::unique_ptr<OpenFile> opened(new OpenFile(calls, workload, anchor, file));
  const int mode = to_read ? O_RDONLY : O_RDWR | O_CREAT;
  AnchorTree& tree = opened->tree_;
  const bool shared = tree.anchor().shared;
  if (!to_read && workload.sequential && workload.delete_first && tree.full(file) &&
      calls.remove_file(opened->target_, shared) == 0)
    tree.set_gone(file);
  const Nanos began = monotonic_now();
  const int error = calls.open(opened->target_, mode | workload.open_flags, opened->fd_);
  if (error != 0) {
    if (error == ENOENT && tree.exists(file) && tree.folder_exists(tree.folder_of(file)))
      tree.set_gone(file);
    tree.leave(file);
    return nullptr;
  }
  // Making a file by operation=create or a format is counted when that is done.
  if (workload.operation == FileOperation::write && !calls.context().job.format.wanted &&
      !tree.exists(file))
    calls.count(FileOperation::create, began);
  opened->settle_limits();
  return opened;
}

void OpenFile::settle_limits() {
  if (calls_.context().job.format.wanted) return;
  const std::uint64_t whole = tree_.size_of(file_);
  if (workload_.stop_after == 0) {
    most_bytes_ = whole;
    return;
  }
  if (workload_.stop_after > 0)
    most_transfers_ = static_cast<std::uint64_t>(workload_.stop_after);
  else
    most_bytes_ =
        static_cast<std::uint64_t>(static_cast<double>(whole) * -workload_.stop_after / 100);
  if (!workload_.sequential) return;
  // Goes on where the one before ended; a file that is not full is appended to.
  const std::uint64_t there = tree_.current_size(file_);
  const std::uint64_t last = tree_.last_offset(file_);
  at_ = there != whole ? there : last >= there ? 0 : last;
}

void OpenFile::continue_from_end(std::uint32_t size) {
  if (size > 0) at_ = tree_.current_size(file_) / size * size;
}

std::uint64_t OpenFile::end_for(Transfer kind) const {
  return kind == Transfer::read ? std::max(tree_.current_size(file_), written_to_)
                                : tree_.size_of(file_);
}

bool OpenFile::cut(std::uint64_t end) {
  if (at_ >= end) return false;
  if (at_ + size_ > end) size_ = static_cast<std::uint32_t>(end - at_);
  return size_ > 0;
}

bool OpenFile::place_next(Transfer kind, std::uint32_t size) {
  at_ += before_;
  size_ = size;
  before_ = 0;
  if (!cut(end_for(kind))) return false;
  before_ = size_;
  return true;
}

bool OpenFile::place_at_random(Transfer kind, std::uint32_t size, Prng& prng) {
  const std::uint64_t end = end_for(kind);
  size_ = size;
  at_ = size > end || size == 0 ? 0 : prng.below(end / size) * size;
  return cut(end);
}

void OpenFile::make(Transfer kind) {
  const int error = kind == Transfer::read ? calls_.read(target_, fd_, at_, size_)
                                           : calls_.write(target_, fd_, at_, size_);
  if (error == 0 && kind == Transfer::write) written_to_ = std::max(written_to_, at_ + size_);
  ++transfers_;
  bytes_ += size_;
  enough_ = bytes_ >= most_bytes_ || transfers_ >= most_transfers_;
}

void OpenFile::make_at(const OpenFile& other, Transfer kind) {
  at_ = other.at_;
  size_ = other.size_;
  make(kind);
}

void OpenFile::close(bool and_remove) {
  calls_.close(target_, fd_, workload_.sync_at_close);
  const std::uint64_t there = tree_.current_size(file_);
  if (!tree_.exists(file_) || written_to_ > there)
    tree_.set_there(file_, std::max(there, written_to_));
  if (workload_.stop_after != 0 && workload_.sequential) tree_.set_last_offset(file_, at_ + size_);
  if (and_remove && calls_.remove_file(target_, tree_.anchor().shared) == 0) tree_.set_gone(file_);
  tree_.leave(file_);
}

}  // namespace stallproof
