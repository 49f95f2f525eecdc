// SPDX-License-Identifier: Apache-2.0
// The rest of what FaultThread does: what follows a touch.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "workloads/fault/fault_thread.h"

namespace stallproof {

// The page may have been taken away again since the touch, so this may fault and wait too.
void FaultThread::verify_page(OpScope& op, bool last) {
  const std::byte* const at = load_.mapping.at(page_ * kPage);
  if (const auto caught = guarded_copy(copy_.data(), at, kPage)) {
    if (write_) {  // its first word has been written
      wrote_page();
      load_.content.unsure(page_);
    }
    note_caught(*caught);
    op.failed(ErrorKind::sigbus);
  } else {
    std::memcpy(copy_.data(), &word_, sizeof word_);
    if (const auto wrong = load_.content.check(page_, copy_)) note_mismatch(*wrong);
    if (write_) rewrite_page(op);
  }
  if (!last || write_) return;
  drop_window(op);
}

void FaultThread::rewrite_page(OpScope& op) {
  wrote_page();
  fill_stamp(page_ * kPage, generation_, copy_);
  const auto caught = guarded_copy(load_.mapping.at(page_ * kPage), copy_.data(), kPage);
  if (!caught) return;
  load_.content.unsure(page_);
  note_caught(*caught);
  op.failed(ErrorKind::sigbus);
}

void FaultThread::wrote_page() {
  generation_ = ExpectedContent::after(generation_);
  load_.content.wrote(page_, generation_);
  ++unprotected_;
  if (unsynced_++ == 0) written_low_ = written_high_ = page_;
  written_low_ = std::min(written_low_, page_);
  written_high_ = std::max(written_high_, page_);
}

void FaultThread::after_writes() {
  const FaultOptions& options = load_.options;
  if (options.sync != SyncWrites::off && unsynced_ >= options.sync_every) sync_writes();
  if (options.protect_every == 0 || unprotected_ < options.protect_every) return;
  unprotected_ = 0;
  protect_window(false);
}

void FaultThread::sync_writes() {
  const std::uint64_t offset = written_low_ * kPage;
  const std::uint64_t size = (written_high_ - written_low_ + 1) * kPage;
  unsynced_ = 0;
  OpScope op(ctx_.slot, Op::msync, offset);
  const int how = load_.options.sync == SyncWrites::sync ? MS_SYNC : MS_ASYNC;
  if (::msync(load_.mapping.at(offset), size, how) != 0)
    note_failure(op, "msync", errno, "what was written may be lost");
}

void FaultThread::protect_window(bool writable) {
  OpScope op(ctx_.slot, Op::mprotect, window_ * kPage);
  const std::uint64_t size = load_.plan.window * kPage;
  if (const int error = load_.mapping.protect(window_ * kPage, size, writable); error != 0)
    note_failure(op, "mprotect", error, "sysctl vm.max_map_count may be used up");
}

void FaultThread::drop_window(OpScope& op) {
  dropped_ = true;
  const Retouch& retouch = *load_.options.retouch;
  if (load_.options.private_mapping && load_.options.writes()) check_file_unwritten(op);
  if (retouch.drop == nullptr) return;
  const std::uint64_t size = load_.plan.window * kPage;
  const int error = retouch.drop(load_.mapping, window_ * kPage, size);
  if (error == 0)
    after_drop();
  else
    note_failure(op, retouch.name, error, retouch.hint);
}

// What the pages hold from now on.
void FaultThread::after_drop() {
  const Retouch& retouch = *load_.options.retouch;
  const TouchPlan& plan = load_.plan;
  if (retouch.drops_all)
    load_.content.zeroed(plan.first_page, load_.mapping.size() / kPage - plan.first_page);
  else if (retouch.changes_file)
    load_.content.zeroed(window_, plan.window);
  else if (load_.options.private_mapping && retouch.forgets_private)
    load_.content.restored(window_, plan.window);
}

// One page of the window: the file holds its own content, whatever was written to the mapping.
void FaultThread::check_file_unwritten(OpScope& op) {
  if (unsynced_ == 0) return;
  unsynced_ = 0;
  const std::uint64_t offset = written_high_ * kPage;
  std::uint64_t word = 0;
  if (const int error = load_.mapping.read_behind(offset, word); error != 0)
    note_failure(op, "read the file", error, "");
  else if (word != pattern_word(offset))
    note_mismatch({offset, "of the file was changed by a write to a private mapping"});
}

int FaultThread::why_unreadable(std::uint64_t offset) {
  OpScope op(ctx_.slot, Op::read, offset);
  std::uint64_t word = 0;
  const int error = load_.mapping.read_behind(offset, word);
  if (error != 0) op.failed(error);
  return error;
}

void FaultThread::note_caught(const CaughtFault& caught) {
  const auto base = reinterpret_cast<std::uintptr_t>(load_.mapping.at(0));
  const std::uint64_t offset = caught.address - base;
  if (caught.signal == SIGBUS) count_one(ctx_.slot.sigbus);
  if (!load_.faults.wanted()) return;
  std::string why = "the mapping is gone, or may not be written to";
  if (caught.signal == SIGBUS) {
    const int error = why_unreadable(offset / kPage * kPage);
    if (error == ENODATA) {
      why = "the file ends before it now: it was truncated";
    } else if (error != 0) {
      why = fmt::format("to read the file there fails: {}", std::strerror(error));
    } else {
      why = "it can be read now: no space to write, or an error that passed (see dmesg)";
    }
    if (error == ENOTCONN) {  // the file system is gone: told once it is clear that the run goes on
      ctx_.pause(kSecond);
      if (ctx_.stopping()) return;
    }
  }
  load_.faults.tell(fmt::format("mapped-fault: {} at 0x{:x}, {} {} at offset {}: {}",
                                caught.signal == SIGBUS ? "SIGBUS" : "SIGSEGV", caught.address,
                                write_ ? "writing" : "reading", load_.path, offset, why));
}

void FaultThread::note_mismatch(const WrongContent& wrong) {
  count_one(ctx_.slot.mismatches);
  if (load_.mismatches.wanted())
    load_.mismatches.tell(fmt::format("mapped-fault: wrong data: {} at offset {} {}", load_.path,
                                      wrong.offset, wrong.what));
}

void FaultThread::note_failure(OpScope& op, std::string_view what, int error,
                               std::string_view hint) {
  op.failed(error);
  if (!load_.failures.wanted()) return;
  load_.failures.tell(fmt::format("mapped-fault: {} at offset {} of {}: {}{}", what,
                                  window_ * kPage, load_.path, std::strerror(error),
                                  hint.empty() ? "" : fmt::format(" ({})", hint)));
}

}  // namespace stallproof
