# SPDX-License-Identifier: Apache-2.0
"""Makes a process see the system calls of Linux 3.10 and no more: a seccomp filter that answers
ENOSYS to every number above 313 (finit_module, the last one 3.10 has on x86-64), EPERM to bpf and
perf_event_open, and EINVAL to madvise's advice that came later (MADV_FREE, MADV_PAGEOUT …).
Inherited by all that the process starts."""

import ctypes
import errno
import struct

LAST_OF_3_10 = 313
BPF, PERF_EVENT_OPEN, MADVISE = 321, 298, 28
LAST_ADVICE_OF_3_10, MADV_HWPOISON = 17, 100
ADVICE_ARGUMENT = 16 + 2 * 8  # offset in seccomp_data
AUDIT_ARCH_X86_64 = 0xC000003E
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, GREATER, ANSWER = 0x20, 0x15, 0x25, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0


def instruction(code, jump_true, jump_false, value):
    return struct.pack("HBBI", code, jump_true, jump_false, value)


def program():
    return [
        instruction(LOAD, 0, 0, 4),                      # seccomp_data.arch
        instruction(EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        instruction(ANSWER, 0, 0, KILL),
        instruction(LOAD, 0, 0, 0),                      # seccomp_data.nr
        instruction(EQUAL, 8, 0, BPF),
        instruction(EQUAL, 7, 0, PERF_EVENT_OPEN),
        instruction(GREATER, 5, 0, LAST_OF_3_10),
        instruction(EQUAL, 0, 3, MADVISE),
        instruction(LOAD, 0, 0, ADVICE_ARGUMENT),
        instruction(GREATER, 0, 1, LAST_ADVICE_OF_3_10),
        instruction(GREATER, 0, 3, MADV_HWPOISON - 1),
        instruction(ANSWER, 0, 0, ALLOW),
        instruction(ANSWER, 0, 0, ERRNO | errno.ENOSYS),
        instruction(ANSWER, 0, 0, ERRNO | errno.EPERM),
        instruction(ANSWER, 0, 0, ERRNO | errno.EINVAL),
    ]


def become_old():
    """For preexec_fn. Raises when the filter cannot be installed."""
    code = b"".join(program())
    text = ctypes.create_string_buffer(code, len(code))
    filter_program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))
    argument = ctypes.create_string_buffer(filter_program, len(filter_program))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_ulong]
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(argument), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")
