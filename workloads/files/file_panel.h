// SPDX-License-Identifier: Apache-2.0
// The panel of a run on files: shared memory in which the threads of a worker count each operation,
// say what failed and how far a format is. It is beside the board, which the watchdog reads. One
// cell for each slot; its thread is its only writer. The controller creates the panel, reads it
// whenever it likes and needs no help from a worker, who may be stuck or dead. No pointers inside;
// CLOCK_MONOTONIC in ns.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/files/file_totals.h"
#include "workloads/io/fault_ring.h"
#include "workloads/io/io_panel.h"

namespace stallproof {

inline constexpr std::uint64_t kFilePanelMagic = 0x656c6966'706f6973ULL;

struct alignas(128) FileCell {
  std::array<OpCounters, kFileOperations> of;  // by FileOperation
};

// An operation that failed.
struct FileFault {
  Nanos realtime_ns = 0;
  std::uint64_t number = kNoNumber;  // of the file or folder in its anchor, see AnchorTree
  std::uint64_t offset = 0, size = 0;
  int error = 0;  // errno, or kUntouchedBuffer, kShortTransfer, kFoundNothing
  std::uint32_t anchor = 0, workload = 0;
  FileOperation operation = FileOperation::read;
  bool folder = false;
  std::uint32_t tid = 0;

  static constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};
};
// A workload has ended: nothing was left that it could work on.
inline constexpr int kFoundNothing = 796;

enum class FormatStage : std::uint32_t { waiting, removing, folders, files, done };

// Of one anchor. A format counts upwards to what is wanted; what was there already is counted.
struct alignas(128) AnchorProgress {
  std::atomic<std::uint32_t> stage;  // FormatStage
  std::atomic<std::uint64_t> removed;
  std::atomic<std::uint64_t> folders_wanted, folders_made;
  std::atomic<std::uint64_t> files_wanted, files_made;
};

struct FilePanelHeader {
  std::uint64_t magic;
  std::uint32_t slot_count, anchor_count;
  alignas(64) std::atomic<std::uint32_t> interval;         // the controller's; stamps `longest`
  alignas(64) std::atomic<std::uint32_t> ended_workloads;  // entries of FileJob::workloads
  std::atomic<std::int32_t> ended_by;  // errno that ended the run: no space, no quota; 0: none
  alignas(64) std::atomic<std::uint64_t> blocked;  // files tried that could not be worked on
  FaultRing<FileFault> faults;
};

class FilePanel {
 public:
  FilePanel() = default;
  FilePanel(const FilePanel&) = delete;
  FilePanel& operator=(const FilePanel&) = delete;
  FilePanel(FilePanel&& other) noexcept;
  FilePanel& operator=(FilePanel&& other) noexcept;
  ~FilePanel();

  // Controller.
  static Result<FilePanel> create(std::uint32_t slots, std::uint32_t anchors);
  // Worker, from the inherited descriptor.
  static Result<FilePanel> attach(int fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] FilePanelHeader& header() { return *header_; }
  [[nodiscard]] const FilePanelHeader& header() const { return *header_; }
  // Slots as in JobFileWorkload::first_slot.
  [[nodiscard]] std::span<FileCell> cells() { return {cells_, slots_}; }
  [[nodiscard]] std::span<AnchorProgress> progress() { return {progress_, anchors_}; }
  [[nodiscard]] std::span<const AnchorProgress> progress() const { return {progress_, anchors_}; }

  // Everything counted so far over some slots; the longest of that one interval.
  [[nodiscard]] FileTotals totals(std::uint32_t first_slot, std::uint32_t slots,
                                  std::uint32_t interval, FileOperations requested) const;

 private:
  Fd fd_;
  void* base_ = nullptr;
  std::size_t size_ = 0;
  FilePanelHeader* header_ = nullptr;
  AnchorProgress* progress_ = nullptr;
  FileCell* cells_ = nullptr;
  std::uint32_t slots_ = 0, anchors_ = 0;

  Result<> map(Fd fd, std::size_t size);
  void place(std::uint32_t slots, std::uint32_t anchors);
};

}  // namespace stallproof
