// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/operation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "workloads/io/io_account.h"
#include "workloads/io/io_job.h"

namespace stallproof {
namespace {

// Lest a dead file system turn the load into a busy loop.
constexpr Nanos kPauseAfterFault = kMillisecond;

int error_of(int result) { return result == 0 ? 0 : errno; }

template <class Move>
int transfer(std::uint32_t size, Move move) {
  ssize_t moved = -1;
  do {
    moved = move();
  } while (moved < 0 && errno == EINTR);
  if (moved < 0) return errno;
  return moved == static_cast<ssize_t>(size) ? 0 : kShortTransfer;
}

}  // namespace

FileCalls::FileCalls(FileContext& context, const FileThread& thread)
    : context_(context),
      workload_(thread.workload),
      slot_(context.board.slots()[context.slot_of(thread)]),
      cell_(context.panel.cells()[context.slot_of(thread)]) {
  const std::uint64_t largest = largest_of(context.job.workloads[workload_].xfersizes);
  read_buffer_ = heap_buffer(largest);
  write_buffer_ = heap_buffer(largest);
  fill_with_noise(write_buffer_.get(), largest, context.job.seed + context.slot_of(thread));
}

Target FileCalls::file(std::uint32_t anchor, FileNumber number) const {
  return {.anchor = anchor, .number = number, .path = context_.trees[anchor]->file_path(number)};
}

Target FileCalls::folder(std::uint32_t anchor, FolderNumber number) const {
  return {.anchor = anchor,
          .number = number,
          .folder = true,
          .path = context_.trees[anchor]->folder_path(number)};
}

void FileCalls::begins(FileOperation operation, std::uint64_t offset, Nanos now) {
  slot_.op_code.store(static_cast<std::uint32_t>(op_of(operation)), std::memory_order_relaxed);
  slot_.op_offset.store(offset, std::memory_order_relaxed);
  slot_.op_started_ns.store(now, std::memory_order_release);
}

void FileCalls::ends(FileOperation operation, std::uint64_t size, Nanos began, int error) {
  const Nanos now = monotonic_now();
  const OpKind kind = kind_of(static_cast<std::uint32_t>(op_of(operation)));
  // What held up a turn is seen in the board's histogram (no coordinated omission).
  slot_.note_durations(kind, now - (due_ != 0 ? std::min(due_, began) : began),
                       error == 0 ? size : 0);
  due_ = 0;
  if (error == 0)
    cell_.of[static_cast<std::size_t>(operation)].record(
        now - began, size, context_.panel.header().interval.load(std::memory_order_relaxed));
  else
    slot_.note_failure(kind_of_error(error));
  slot_.note_end(kind, now);
}

void FileCalls::count(FileOperation operation, Nanos began) {
  cell_.of[static_cast<std::size_t>(operation)].record(
      monotonic_now() - began, 0, context_.panel.header().interval.load(std::memory_order_relaxed));
}

void FileCalls::note(FileOperation operation, const Target& target, int error, std::uint64_t offset,
                     std::uint64_t size) {
  context_.panel.header().faults.note({.realtime_ns = realtime_now(),
                                       .number = target.number,
                                       .offset = offset,
                                       .size = size,
                                       .error = error,
                                       .anchor = target.anchor,
                                       .workload = workload_,
                                       .operation = operation,
                                       .folder = target.folder,
                                       .tid = slot_.tid.load(std::memory_order_relaxed)});
}

template <class Call>
int FileCalls::counted(FileOperation operation, const Target& target, std::uint64_t offset,
                       std::uint64_t size, Call call) {
  const Nanos began = monotonic_now();
  begins(operation, offset, began);
  const int error = call();
  ends(operation, size, began, error);
  if (error == 0) return 0;
  note(operation, target, error, offset, size);
  if (error == ENOSPC || error == EDQUOT) context_.end_by(error);
  context_.sleep_until(monotonic_now() + kPauseAfterFault);
  return error;
}

int FileCalls::make_folder(const Target& target, bool may_exist) {
  return counted(FileOperation::mkdir, target, 0, 0, [&] {
    const int error = error_of(::mkdir(target.path.c_str(), 0777));
    return error == EEXIST && may_exist ? 0 : error;
  });
}

int FileCalls::remove_folder(const Target& target, bool may_be_gone) {
  return counted(FileOperation::rmdir, target, 0, 0, [&] {
    const int error = error_of(::rmdir(target.path.c_str()));
    return may_be_gone && (error == ENOENT || error == ENOTEMPTY) ? 0 : error;
  });
}

int FileCalls::remove_file(const Target& target, bool may_be_gone) {
  return counted(FileOperation::erase, target, 0, 0, [&] {
    const int error = error_of(::unlink(target.path.c_str()));
    return may_be_gone && error == ENOENT ? 0 : error;
  });
}

int FileCalls::get_attributes(const Target& target) {
  return counted(FileOperation::getattr, target, 0, 0, [&] {
    struct stat info {};
    return error_of(::stat(target.path.c_str(), &info));
  });
}

int FileCalls::set_attributes(const Target& target) {
  return counted(FileOperation::setattr, target, 0, 0, [&] {
    const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    return error_of(::utimensat(AT_FDCWD, target.path.c_str(), times, 0));
  });
}

int FileCalls::look_for_access(const Target& target) {
  return counted(FileOperation::access, target, 0, 0,
                 [&] { return error_of(::access(target.path.c_str(), R_OK)); });
}

int FileCalls::open(const Target& target, int flags, int& fd) {
  return counted(FileOperation::open, target, 0, 0, [&] {
    do {
      fd = ::open(target.path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? errno : 0;
  });
}

int FileCalls::close(const Target& target, int fd, bool sync) {
  return counted(FileOperation::close, target, 0, 0, [&] {
    const int error = sync ? error_of(::fsync(fd)) : 0;
    const int closed = error_of(::close(fd));
    return error != 0 ? error : closed;
  });
}

int FileCalls::read(const Target& target, int fd, std::uint64_t offset, std::uint32_t size) {
  const bool watched = size >= 2 * sizeof(std::uint32_t);
  if (watched) poison(read_buffer_.get(), size);
  return counted(FileOperation::read, target, offset, size, [&] {
    const int error = transfer(
        size, [&] { return ::pread(fd, read_buffer_.get(), size, static_cast<off_t>(offset)); });
    return error == 0 && watched && still_poisoned(read_buffer_.get(), size) ? kUntouchedBuffer
                                                                             : error;
  });
}

int FileCalls::write(const Target& target, int fd, std::uint64_t offset, std::uint32_t size) {
  return counted(FileOperation::write, target, offset, size, [&] {
    return transfer(
        size, [&] { return ::pwrite(fd, write_buffer_.get(), size, static_cast<off_t>(offset)); });
  });
}

}  // namespace stallproof
