#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""without_bpf.py [--call NAME] COMMAND…: runs it with bpf(2), or another system call, refused
(EPERM) for it and all it starts, as under kernel lockdown or in a strict container."""

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO_EPERM = 0x7FFF0000, 0x00050000 | 1
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
NUMBERS = {"bpf": {"x86_64": 321, "aarch64": 280}, "userfaultfd": {"x86_64": 323, "aarch64": 282}}


def program(number):
    """struct sock_filter[]: the system call's number is the first word of struct seccomp_data."""
    steps = ((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, RET_ERRNO_EPERM),
             (RETURN, 0, 0, RET_ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps), len(steps)


def refuse(call):
    number = NUMBERS[call].get(platform.machine())
    if number is None:
        raise OSError(f"number of {call}(2) is not known on {platform.machine()}")
    code, length = program(number)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", length, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                  (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header), 0, 0)):
        if libc.prctl(*(ctypes.c_ulong(word) for word in words)) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    other = sys.argv[1] == "--call"
    refuse(sys.argv[2] if other else "bpf")
    command = sys.argv[3 if other else 1:]
    os.execvp(command[0], command)
