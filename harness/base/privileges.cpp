// SPDX-License-Identifier: Apache-2.0
#include "harness/base/privileges.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace stallproof {
namespace {

// Calls by which a reader that was led astray by its input could reach beyond files.
constexpr std::array kRefused {
  SYS_execve, SYS_execveat, SYS_socket, SYS_connect, SYS_bind,
#if !defined(__SANITIZE_ADDRESS__)  // its search for leaks is a ptrace of itself
      SYS_ptrace,
#endif
      SYS_process_vm_readv, SYS_process_vm_writev, SYS_mount, SYS_umount2, SYS_pivot_root,
      SYS_chroot, SYS_unshare, SYS_setns, SYS_init_module, SYS_finit_module, SYS_delete_module,
      SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_kexec_load,
      SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_add_key, SYS_keyctl,
      SYS_request_key, SYS_ioperm, SYS_iopl, SYS_open_by_handle_at, SYS_open_tree, SYS_move_mount,
      SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_pidfd_getfd,
      SYS_process_madvise
};
// Calls of the x32 ABI have this bit in their number (arch/x86/include/uapi/asm/unistd.h).
constexpr std::uint32_t kX32 = 0x40000000;

constexpr sock_filter statement(std::uint32_t code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}

constexpr sock_filter jump(std::uint32_t code, std::uint32_t k, std::size_t yes, std::size_t no) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes),
          static_cast<std::uint8_t>(no), k};
}

// Load the architecture and the number; whatever is listed, or is no call of x86-64, goes to the
// last statement.
constexpr auto make_filter() {
  constexpr std::size_t kHead = 4;
  std::array<sock_filter, kHead + kRefused.size() + 2> filter{};
  const std::size_t refuse = filter.size() - 1;
  filter[0] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  filter[1] = jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, refuse - 2);
  filter[2] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  filter[3] = jump(BPF_JMP | BPF_JGE | BPF_K, kX32, refuse - 4, 0);
  for (std::size_t i = 0; i < kRefused.size(); ++i)
    filter[kHead + i] = jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(kRefused[i]),
                             refuse - (kHead + i) - 1, 0);
  filter[refuse - 1] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[refuse] = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  return filter;
}

// A number beyond those the kernel knows is EINVAL.
bool drop_from_bounding_set(const Capabilities& kept) {
  bool dropped = true;
  for (unsigned number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if (kept.has(number) || ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) dropped = false;
  }
  return dropped;
}

bool keep_of_this_thread(const Capabilities& kept) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &head, data.data()) != 0) return false;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto word = static_cast<std::uint32_t>(kept.bits() >> (32 * i));
    data[i].permitted &= word;
    data[i].effective &= word;
    data[i].inheritable &= word;
  }
  return ::syscall(SYS_capset, &head, data.data()) == 0;
}

}  // namespace

bool give_up_all_but(const Capabilities& kept) {
  const bool no_new = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // 4.3; before there is none
  const bool bounded = drop_from_bounding_set(kept);
  return keep_of_this_thread(kept) && bounded && no_new;
}

bool refuse_calls_beside_files() {
  static constexpr auto kFilter = make_filter();
  static_assert(kFilter.size() < 256);  // a jump is one byte
  const sock_fprog program{static_cast<std::uint16_t>(kFilter.size()),
                           const_cast<sock_filter*>(kFilter.data())};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

void work_with_files_only() {
  give_up_all_but(kKeptForFiles);
  refuse_calls_beside_files();
}

}  // namespace stallproof
