// SPDX-License-Identifier: Apache-2.0
// One thread's system calls on files and folders. Each is on the board while it lasts, so that its
// age is seen if it never ends; is counted in the panel when it is done; and is noted as a fault
// when it fails. All return 0 or an errno (or kShortTransfer, kUntouchedBuffer).
#pragma once

#include <dirent.h>

#include <cstddef>
#include <string>

#include "workloads/files/file_engine.h"
#include "workloads/io/heap_buffer.h"

namespace stallproof {

// What an operation is about.
struct Target {
  std::uint32_t anchor = 0;
  std::uint64_t number = FileFault::kNoNumber;
  bool folder = false;
  std::string path;
};

class FileCalls {
 public:
  FileCalls(FileContext& context, const FileThread& thread);

  Target file(std::uint32_t anchor, FileNumber number) const;
  Target folder(std::uint32_t anchor, FolderNumber number) const;

  int make_folder(const Target& target, bool may_exist);
  int remove_folder(const Target& target, bool may_be_gone);
  int remove_file(const Target& target, bool may_be_gone);
  int get_attributes(const Target& target);
  int set_attributes(const Target& target);
  int look_for_access(const Target& target);
  int open(const Target& target, int flags, int& fd);
  int close(const Target& target, int fd, bool sync);
  int read(const Target& target, int fd, std::uint64_t offset, std::uint32_t size);
  int write(const Target& target, int fd, std::uint64_t offset, std::uint32_t size);

  // An operation that is made of several calls: counted, not on the board.
  void count(FileOperation operation, Nanos began);
  // The next call is due then, or was.
  void set_due(Nanos due) { due_ = due; }
  // The thread waits for it: a worker that is frozen meanwhile shows by what is overdue.
  void begin_waiting(FileOperation operation) { begins(operation, 0, due_); }
  void end_waiting() { slot_.op_started_ns.store(0, std::memory_order_release); }
  void note(FileOperation operation, const Target& target, int error, std::uint64_t offset = 0,
            std::uint64_t size = 0);
  [[nodiscard]] FileContext& context() { return context_; }

 private:
  template <class Call>
  int counted(FileOperation operation, const Target& target, std::uint64_t offset,
              std::uint64_t size, Call call);
  void begins(FileOperation operation, std::uint64_t offset, Nanos now);
  void ends(FileOperation operation, std::uint64_t size, Nanos began, int error);

  FileContext& context_;
  std::uint32_t workload_;
  BoardSlot& slot_;
  FileCell& cell_;
  Nanos due_ = 0;
  HeapBuffer read_buffer_, write_buffer_;
};

}  // namespace stallproof
