// SPDX-License-Identifier: Apache-2.0
// One thread, one system call, one I/O in flight.
#include <unistd.h>

#include <optional>

#include "harness/base/prng.h"
#include "workloads/io/io_account.h"
#include "workloads/io/io_engine.h"

namespace stallproof {
namespace {

class PsyncThread {
 public:
  PsyncThread(EngineContext& context, const EngineThread& thread)
      : context_(context),
        file_(context.job.files[thread.file]),
        file_number_(thread.file),
        fd_(context.files[thread.file].get()),
        slot_number_(file_.first_slot + thread.first),
        slot_(context.board.slots()[slot_number_]),
        chooser_(Prng::mix(context.job.seed + slot_number_ + 1), thread.first),
        turn_(thread.first) {
    const std::uint64_t largest = context.job.largest_transfer(thread.file);
    read_buffer_ = heap_buffer(largest);
    write_buffer_ = heap_buffer(largest);
    fill_with_noise(write_buffer_.get(), largest, context.job.seed + slot_number_);
    if (context.validation && file_.key_block != 0)
      validated_.emplace(context, thread, IoBuffers{read_buffer_.get(), write_buffer_.get()},
                         [this](const IoRequest& io) { return make(io); });
  }

  void run() {
    while (!context_.stopping()) {
      const Nanos now = monotonic_now();
      const NextIo next = context_.source->next(file_number_, chooser_, turn_, now);
      if (next.kind == NextIo::ended) return;
      if (next.kind == NextIo::wait) {
        context_.sleep_until(next.until);
        continue;
      }
      if (next.io.due > now) {
        // A worker that is frozen while it waits shows by what is overdue.
        io_begins(slot_, next.io, next.io.due);
        context_.sleep_until(next.io.due);
        if (context_.stopping()) break;
      }
      if (validated_)
        validated_->make(next.io, chooser_);
      else
        make(next.io);
    }
    slot_.op_started_ns.store(0, std::memory_order_release);
  }

 private:
  // 0, or why it failed.
  int make(const IoRequest& io) {
    if (!io.write) poison(read_buffer_.get(), io.size);
    const Nanos began = monotonic_now();
    io_begins(slot_, io, began);
    const int error = transfer(io);
    const Nanos now = monotonic_now();
    io_ends(slot_, context_.panel.cell(slot_number_, io.stream), io, began, now,
            context_.panel.header().interval.load(std::memory_order_relaxed), error);
    if (error == 0) return 0;
    context_.panel.note_fault({.realtime_ns = realtime_now(),
                               .offset = io.offset,
                               .size = io.size,
                               .error = error,
                               .stream = io.stream,
                               .write = io.write,
                               .tid = slot_.tid.load(std::memory_order_relaxed)});
    context_.sleep_until(now + kPauseAfterFault);
    return error;
  }

  int transfer(const IoRequest& io) {
    const auto at = static_cast<off_t>(io.offset);
    ssize_t moved = -1;
    do {
      moved = io.write ? ::pwrite(fd_, write_buffer_.get(), io.size, at)
                       : ::pread(fd_, read_buffer_.get(), io.size, at);
    } while (moved < 0 && errno == EINTR);
    if (moved < 0) return errno;
    if (moved != static_cast<ssize_t>(io.size)) return kShortTransfer;
    return !io.write && still_poisoned(read_buffer_.get(), io.size) ? kUntouchedBuffer : 0;
  }

  // Lest a dead file system turn the load into a busy loop.
  static constexpr Nanos kPauseAfterFault = kMillisecond;

  EngineContext& context_;
  const JobFile& file_;
  std::uint32_t file_number_;
  int fd_;
  std::uint32_t slot_number_;
  BoardSlot& slot_;
  Chooser chooser_;
  std::uint64_t turn_;
  HeapBuffer read_buffer_, write_buffer_;
  std::optional<ValidatedIo> validated_;
};

}  // namespace

void run_psync_thread(EngineContext& context, const EngineThread& thread) {
  PsyncThread self(context, thread);
  if (context.wait_for_run(thread)) self.run();
}

}  // namespace stallproof
