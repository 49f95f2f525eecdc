// SPDX-License-Identifier: Apache-2.0
// What a process or thread gives up for good once it has opened what it needs; SECURITY.md has the
// table of who keeps what. Any thread; what it starts afterwards inherits it, what runs already
// does not. Best effort: where the kernel refuses, as some containers do, one goes on with what one
// has. No allocation, async-signal-safe: for use between fork and exec too.
#pragma once

#include <linux/capability.h>

#include <cstdint>
#include <initializer_list>

namespace stallproof {

class Capabilities {
 public:
  constexpr Capabilities(std::initializer_list<unsigned> numbers) {
    for (const unsigned number : numbers) bits_ |= std::uint64_t{1} << number;
  }
  [[nodiscard]] constexpr bool has(unsigned number) const { return (bits_ >> number & 1U) != 0; }
  [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }

 private:
  std::uint64_t bits_ = 0;
};

// Commands that only read and write files: root's way with files, nothing else of root.
inline constexpr Capabilities kKeptForFiles{CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
                                            CAP_FOWNER, CAP_FSETID};
// Loads: files and devices of the target, locked memory, blocks that are reserved for root.
inline constexpr Capabilities kKeptByLoads{CAP_CHOWN,       CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
                                           CAP_FOWNER,      CAP_FSETID,       CAP_IPC_LOCK,
                                           CAP_SYS_RESOURCE};
// The FUSE server: process_vm_writev into its client, umount2 at its end.
inline constexpr Capabilities kKeptByService{CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN,
                                             CAP_SYS_PTRACE};
// The watchdog: one BPF iterator a scan (bpf_iter_create is refused without CAP_BPF where
// kernel.unprivileged_bpf_disabled is set; kernel/bpf/syscall.c, 5.8 to 6.18), /proc of foreign
// processes, memory that stays locked.
inline constexpr Capabilities kKeptByWatchdog{CAP_BPF, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK,
                                              CAP_PERFMON, CAP_SYS_PTRACE};
// The child that reads /proc: /proc/PID/stack asks for CAP_SYS_ADMIN (fs/proc/base.c, 6.12).
inline constexpr Capabilities kKeptByProbe{CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_SYS_PTRACE,
                                           CAP_SYSLOG};
// Threads that answer who connects: a port below 1024.
inline constexpr Capabilities kKeptByListener{CAP_NET_BIND_SERVICE};

// All other capabilities, also for programs started later, and whatever a program could bring
// (PR_SET_NO_NEW_PRIVS, 3.5). False when something was refused.
bool give_up_all_but(const Capabilities& kept);

// From now on EPERM for what no reader of files calls: starting programs, sockets, looking into
// other processes, mounting, modules, BPF, kexec, reboot (seccomp filter, 3.5; after
// give_up_all_but()). False when it was refused.
bool refuse_calls_beside_files();

// Both, for commands that read what came from elsewhere: kernel logs, memory images, run
// directories.
void work_with_files_only();

}  // namespace stallproof
