// SPDX-License-Identifier: Apache-2.0
// Where the watchdog's loop learns what the loads do: from the board, where our own loads say it
// themselves, or from the kernel's counters of threads that are not ours (target_source.h).
// Watchdog process only; read() is called every tick and allocates nothing.
#pragma once

#include <optional>

#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/detect/system_view.h"

namespace stallproof {

class ProgressSource {
 public:
  ProgressSource() = default;
  ProgressSource(const ProgressSource&) = delete;
  ProgressSource& operator=(const ProgressSource&) = delete;
  virtual ~ProgressSource() = default;

  // Before load starts; what cannot be opened is told in the evidence, not an error.
  virtual void open(EvidenceArea& area) = 0;
  // Fills view.loads for view.now_ns.
  virtual void read(SystemView& view, EvidenceArea& area) = 0;
  // True: the processes are ours, few and known, and scans shall tell everything about them.
  [[nodiscard]] virtual bool own_load() const = 0;
  // By bits: loads that stall on purpose, to prove that it is seen.
  [[nodiscard]] virtual std::uint32_t canary_loads() const { return 0; }
};

class BoardSource final : public ProgressSource {
 public:
  // `canary`: a second board, whose loads come behind those of the first.
  explicit BoardSource(Board board, std::optional<Board> canary = std::nullopt)
      : board_(std::move(board)), canary_(std::move(canary)) {}
  void open(EvidenceArea&) override {}
  void read(SystemView& view, EvidenceArea&) override {
    read_board(board_, view);
    if (canary_) add_board(*canary_, view);
  }
  [[nodiscard]] bool own_load() const override { return true; }
  [[nodiscard]] std::uint32_t canary_loads() const override {
    if (!canary_) return 0;
    return loads_from(board_.loads().size()) &
           ~loads_from(board_.loads().size() + canary_->loads().size());
  }

 private:
  static std::uint32_t loads_from(std::size_t first) { return first < 32 ? ~0U << first : 0; }

  Board board_;
  std::optional<Board> canary_;
};

}  // namespace stallproof
