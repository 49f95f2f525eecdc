// SPDX-License-Identifier: Apache-2.0
// What a crashed kernel left on disk, and which run it belongs to. Layouts: Debian and Ubuntu
// (kdump-tools 1.8: /var/crash/YYYYmmddHHMM/{dump,dmesg}.STAMP), RHEL and Fedora (kdump-utils:
// /var/crash/HOST-DATE/{vmcore,vmcore-dmesg.txt}), abrt (/var/spool/abrt/vmcore-*). Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/postmortem/unfinished_run.h"

namespace stallproof {

struct CrashSite {
  std::string directory;
  std::string dump;        // memory image; empty: none
  std::string incomplete;  // one that was not written to its end, and never will be
  std::string log_file;    // the dead kernel's log as text; empty: none
  std::int64_t written_ns = 0;
};
// In the order they were written. `root` "/" is this machine.
std::vector<CrashSite> find_crash_sites(const std::string& root);

// How sure it is that a kernel log is of the run's boot.
enum class TiedBy {
  nothing,
  time,       // alone: written after the run's last sign of life, and of no other run
  boot_line,  // a run of the same boot has its line in it
  run_line,   // the run itself has
};
std::string_view tie_words(TiedBy tie);
// By the lines that runs write into the kernel log (run_manifest.h). `contradicted`: it has such
// lines, all of other boots. Pure.
struct LogTie {
  TiedBy by = TiedBy::nothing;
  bool contradicted = false;
};
LogTie tie_log(std::string_view log, const UnfinishedRun& run);

struct FoundCrash {
  CrashSite site;
  TiedBy by = TiedBy::nothing;
  std::string log;  // of log_file
};
// The crash that ended the run's boot; `by` is nothing when there is none.
FoundCrash crash_of(const UnfinishedRun& run, const std::vector<CrashSite>& sites);

}  // namespace stallproof
