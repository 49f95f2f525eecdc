// SPDX-License-Identifier: Apache-2.0
// What one thread of mapped-fault does: touch the pages of a window, verify them, make them fault
// again, and go on with the next window.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "workloads/content/expected_content.h"
#include "workloads/fault/fault_mapping.h"
#include "workloads/fault/touch_batch.h"
#include "workloads/fault/touch_order.h"
#include "workloads/fault_guard.h"
#include "workloads/first_few.h"

namespace stallproof {

// Of all threads of a load.
struct FaultLoad {
  std::string path;
  FaultOptions options;
  TouchPlan plan;
  FaultMapping mapping;
  ExpectedContent content;
  FirstFew faults, mismatches, failures;
};

class FaultThread {
 public:
  FaultThread(FaultLoad& load, WorkerContext& ctx);
  // Until told to stop, or for good when a fault never ends.
  void run();

 private:
  static constexpr std::uint64_t kPage = FaultMapping::kPage;

  void touch_window();
  std::uint64_t touch_row(std::uint64_t most);
  std::uint64_t touch_page(bool last);
  void touch_words();
  std::uint64_t access_word();
  void choose_next();
  std::uint64_t row_length(std::uint64_t most) const;
  std::uint64_t end_touches(const std::optional<CaughtFault>& caught);
  bool may_retry(const CaughtFault& caught);

  void verify_page(OpScope& op, bool last);
  void rewrite_page(OpScope& op);
  void wrote_page();
  void after_writes();
  void sync_writes();
  void protect_window(bool writable);
  void drop_window(OpScope& op);
  void after_drop();
  void check_file_unwritten(OpScope& op);

  void note_caught(const CaughtFault& caught);
  void note_mismatch(const WrongContent& wrong);
  void note_failure(OpScope& op, std::string_view what, int error, std::string_view hint);

  FaultLoad& load_;
  WorkerContext& ctx_;
  TouchOrder order_;
  TouchBatch batch_;
  Prng prng_;                 // which touches write
  std::uint64_t window_ = 0;  // first page
  bool dropped_ = false;
  // The touch that comes next or is under way. In memory at every access, so that they are right
  // after a jump out of a fault.
  std::uint64_t page_ = 0;
  bool write_ = false;
  std::uint64_t word_ = 0;  // what the first word of the page was
  std::uint64_t todo_ = 0, done_ = 0, wrong_ = 0;
  std::uint64_t wrong_page_ = 0, wrong_word_ = 0;  // the last of the wrong ones

  Generation generation_ = 0;  // of the last write
  std::uint64_t unsynced_ = 0, unprotected_ = 0;
  std::uint64_t written_low_ = 0, written_high_ = 0;  // pages written since the last msync
  unsigned retries_ = 0;
  std::array<std::byte, kPage> copy_{};
};

}  // namespace stallproof
