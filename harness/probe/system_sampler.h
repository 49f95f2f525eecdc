// SPDX-License-Identifier: Apache-2.0
// Samples the whole machine: pressure, disks, the kernel's count of hung tasks, requests that FUSE
// connections wait for. None of these files takes a lock of a task or of a file system (atomics and
// per-cpu counters; block/genhd.c diskstats_show, kernel/sched/psi.c psi_show, fs/fuse/control.c
// fuse_conn_waiting_read, 6.18).
//
// The watchdog calls open() before load starts; sample() is one pread(2) per file and allocates
// nothing. A connection is opened with the first sample after the controller named it, which is
// before its load starts. Watchdog process only.
#pragma once

#include <array>
#include <string>

#include "harness/base/fd.h"
#include "harness/board/evidence.h"
#include "harness/probe/system_text.h"

namespace stallproof {

class SystemSampler {
 public:
  // `root`: where /proc and /sys are, for tests. What cannot be opened is told in
  // area.system_problem.
  void open(EvidenceArea& area, const std::string& root = {});
  // Fills `row`, but for fuse_waiting where there is no fusectl; names new disks in the area.
  void sample(Nanos now, EvidenceArea& area, SystemRow& row);

 private:
  struct Disk {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    DiskRow row;
  };
  static constexpr std::size_t kTextBytes = 256U << 10U;  // some two thousand disks

  std::string_view read_again(const Fd& file);
  void sample_disks(EvidenceArea& area, SystemRow& row);
  bool note_disk(const DiskLine& line, EvidenceArea& area);
  void sample_fuse(EvidenceArea& area, SystemRow& row);
  void open_connection(std::size_t entry, std::uint32_t number);

  std::array<Fd, kPressures> pressure_;
  Fd diskstats_;
  Fd hung_tasks_;
  std::array<char, 128> fuse_folder_{};
  std::array<Fd, kSystemFuse> fuse_;
  std::array<std::uint32_t, kSystemFuse> fuse_numbers_{};
  std::array<Disk, kSystemDisks> disks_{};
  std::size_t disk_count_ = 0;
  std::array<char, kTextBytes> text_{};
};

}  // namespace stallproof
