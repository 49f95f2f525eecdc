// SPDX-License-Identifier: Apache-2.0
// Where the watchdog's loop learns what the loads do: from the board, where our own loads say it
// themselves, or from the kernel's counters of threads that are not ours (target_source.h).
// Watchdog process only; read() is called every tick and allocates nothing.
#pragma once

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
};

class BoardSource final : public ProgressSource {
 public:
  explicit BoardSource(Board board) : board_(std::move(board)) {}
  void open(EvidenceArea&) override {}
  void read(SystemView& view, EvidenceArea&) override { read_board(board_, view); }
  [[nodiscard]] bool own_load() const override { return true; }

 private:
  Board board_;
};

}  // namespace stallproof
