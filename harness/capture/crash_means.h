// SPDX-License-Identifier: Apache-2.0
// Whether a panic would leave a vmcore, and the panic itself. Controller only; what may hang is
// asked by children.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

struct CrashMeans {
  bool root = false;
  bool trigger = false;                       // /proc/sysrq-trigger is there
  std::string crash_kernel;                   // /sys/kernel/kexec_crash_loaded; empty: no such file
  std::optional<std::uint64_t> crash_memory;  // bytes kept for it; absent: not known
  std::string dump_place;                     // directory of this machine; empty: not known
  std::optional<std::uint64_t> dump_free, dump_needed;  // bytes; absent: not known
  std::optional<std::uint64_t> evidence_free;           // where the run's files go
};

// `evidence_place`: where the run's directory is or will be.
CrashMeans look_at_crash_means(const std::string& evidence_place);

// What is lacking, with what to do about it; empty when nothing is. `user_can_mend` is whether it
// is the caller's own (not root). Pure.
struct CrashLack {
  std::string what;
  bool user_can_mend = false;
};
CrashLack lacking_for_crash(const CrashMeans& means);

// Of a crash kernel that is loaded: what may keep it from coming up; empty when nothing is known
// to. A warning, no lack: a kernel made for it may do with less. Pure.
std::string doubt_of_crash_kernel(const CrashMeans& means);

// Where kdump writes: `path` of RHEL's kdump.conf, KDUMP_COREDIR of Debian's kdump-tools. Empty
// when it is another machine or a device, or when neither file is there. Pure.
std::string dump_directory(std::string_view kdump_conf, std::string_view kdump_tools);
// Most bytes that makedumpfile -d 31 can leave uncompressed: memory that is neither free, nor page
// cache, nor of processes. Pure; nullopt when the text is not /proc/meminfo.
std::optional<std::uint64_t> dump_estimate(std::string_view meminfo);

// One line into the kernel log, which the vmcore will hold. `level`: 0 emergency … 7 debug.
Result<> mark_kernel_log(int level, const std::string& line);
// Panics this machine by sysrq. Returns only when that failed.
Error crash_this_machine();

}  // namespace stallproof
