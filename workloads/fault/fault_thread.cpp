// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/fault_thread.h"

#include <signal.h>

#include <algorithm>
#include <atomic>

namespace stallproof {
namespace {

// Another thread may protect the window again and again; then the touch has failed.
constexpr unsigned kMostRetries = 100;

}  // namespace

FaultThread::FaultThread(FaultLoad& load, WorkerContext& ctx)
    : load_(load),
      ctx_(ctx),
      order_(load.plan, ctx.index, ctx.seed),
      batch_(ctx.slot),
      prng_(Prng::mix(ctx.seed + 1)) {}

void FaultThread::run() {
  while (!ctx_.stopping()) touch_window();
}

void FaultThread::touch_window() {
  window_ = order_.begin_window();
  dropped_ = false;
  choose_next();
  for (std::uint64_t left = order_.touches(); left > 0 && !ctx_.stopping();) {
    left -= load_.options.whole_pages ? touch_page(left == 1) : touch_row(left);
    if (load_.options.writes()) after_writes();
  }
  if (dropped_ || (load_.options.retouch->drop == nullptr && !load_.options.private_mapping))
    return;
  OpScope op(ctx_.slot, Op::page_drop, window_ * kPage);
  drop_window(op);
}

void FaultThread::choose_next() {
  page_ = order_.next_page();
  const unsigned percent = load_.options.write_percent;
  write_ = percent == 100 || (percent != 0 && prng_.below(100) < percent);
}

// A write is an exchange: one access, so that the page faults for writing at once, and yet says
// what was there. The fences keep what the jump out of a fault relies on in memory.
std::uint64_t FaultThread::access_word() {
  std::byte* const at = load_.mapping.at(page_ * kPage);
  std::atomic_ref<std::uint64_t> word(*reinterpret_cast<std::uint64_t*>(at));
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const std::uint64_t before =
      write_ ? word.exchange(stamp_word(page_ * kPage, ExpectedContent::after(generation_)),
                             std::memory_order_relaxed)
             : word.load(std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return before;
}

// Inside the guard. This is the loop whose speed counts.
void FaultThread::touch_words() {
  while (done_ < todo_) {
    const std::uint64_t word = access_word();
    if (!load_.content.right(page_, word)) {
      ++wrong_;
      wrong_page_ = page_;
      wrong_word_ = word;
    }
    if (write_) wrote_page();
    ++done_;
    choose_next();
    batch_.next(page_ * kPage);
  }
}

std::uint64_t FaultThread::row_length(std::uint64_t most) const {
  std::uint64_t length = std::min<std::uint64_t>(most, batch_.size());
  const FaultOptions& options = load_.options;
  if (options.sync != SyncWrites::off) length = std::min(length, options.sync_every - unsynced_);
  if (options.protect_every != 0) length = std::min(length, options.protect_every - unprotected_);
  return length;
}

std::uint64_t FaultThread::touch_row(std::uint64_t most) {
  todo_ = row_length(most);
  done_ = wrong_ = 0;
  batch_.begin(page_ * kPage);
  const auto caught =
      guarded_call([](void* self) { static_cast<FaultThread*>(self)->touch_words(); }, this);
  const std::uint64_t ended = end_touches(caught);
  if (wrong_ != 0) {
    for (std::uint64_t i = 1; i < wrong_; ++i) count_one(ctx_.slot.mismatches);
    note_mismatch(
        load_.content
            .check(wrong_page_, std::as_bytes(std::span<const std::uint64_t>(&wrong_word_, 1)))
            .value_or(WrongContent{wrong_page_ * kPage, "was wrong when it was read"}));
  }
  return ended;
}

// The touch alone is one operation: the service takes a second read of the page within it for the
// fault's second try. Verifying may fault and wait too, and is an operation of its own.
std::uint64_t FaultThread::touch_page(bool last) {
  done_ = 0;
  batch_.begin(page_ * kPage);
  const auto caught = guarded_call(
      [](void* argument) {
        auto& self = *static_cast<FaultThread*>(argument);
        self.word_ = self.access_word();
        self.done_ = 1;
      },
      this);
  if (done_ == 1) batch_.next(page_ * kPage);
  const std::uint64_t ended = end_touches(caught);
  if (done_ == 0) return ended;
  {
    OpScope op(ctx_.slot, Op::page_drop, page_ * kPage);
    verify_page(op, last);
  }
  choose_next();
  return ended;
}

// How many touches have ended: all that were made, and one that failed.
std::uint64_t FaultThread::end_touches(const std::optional<CaughtFault>& caught) {
  const bool retry = caught && may_retry(*caught);
  const bool failed = caught && !retry;
  if (failed) batch_.next(page_ * kPage);
  batch_.end(done_, failed ? 1 : 0, kPage);
  if (retry) {
    protect_window(true);
  } else {
    retries_ = 0;
  }
  if (!failed) return done_;
  note_caught(*caught);
  choose_next();
  ctx_.pause(kPauseAfterFailure);
  return done_ + 1;
}

// The fault of a write to a window that this load has protected: what it was protected for.
bool FaultThread::may_retry(const CaughtFault& caught) {
  return caught.signal == SIGSEGV && write_ && load_.options.protect_every != 0 &&
         ++retries_ <= kMostRetries;
}

}  // namespace stallproof
