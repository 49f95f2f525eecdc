# SPDX-License-Identifier: Apache-2.0
"""The words that run, shell and crash_dump have in common."""

import argparse
import os
import shlex
import sys

import guest
import kernel
import kernel_module
import kernel_package
import means
from errors import INFRASTRUCTURE, VmError


def parser(about, command=True):
    made = argparse.ArgumentParser(description=about,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--kernel", metavar="PATH", help="boot this vmlinuz, not Debian's")
    made.add_argument("--modules", metavar="DIR", help="its modules, lib/modules/RELEASE")
    made.add_argument("--package", default=kernel_package.META, metavar="NAME",
                      help="Debian package that depends on the kernel (default: %(default)s)")
    made.add_argument("--share", metavar="DIR", help="seen as /mnt in the guest (default: here)")
    made.add_argument("--program", action="append", default=[], metavar="[NAME=]PATH",
                      help="program of this machine for the guest's /bin, with its libraries")
    made.add_argument("--kmod", action="store_true",
                      help="build ffs_stub.ko for the guest: /bin/ffs_stub.ko")
    made.add_argument("--ko", metavar="PATH", help="take this ffs_stub.ko instead")
    made.add_argument("--memory", type=int, default=1024, metavar="MIB")
    made.add_argument("--cpus", type=int, default=2, metavar="N")
    made.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto")
    made.add_argument("--deadline", type=int, default=300, metavar="SECONDS")
    made.add_argument("--up", type=int, default=90, metavar="SECONDS",
                      help="the guest is up by then, or never (default: %(default)s)")
    made.add_argument("--console", metavar="FILE", help="keep what the kernel says there "
                      "(default: kept only when the guest fails)")
    made.add_argument("--append", action="append", default=[], metavar="WORD",
                      help="for the kernel's command line")
    if command:
        made.add_argument("command", nargs="+", metavar="-- CMD…")
    return made


def guest_options(words, **more):
    """(Kernel, guest.Options) of the parsed words."""
    means.check()  # before a kernel is fetched
    booted = (kernel.supplied(words.kernel, words.modules) if words.kernel
              else kernel_package.current(words.package))
    if words.modules and not words.kernel:
        raise VmError("--modules belongs to --kernel; give both or none")
    programs = list(words.program)
    if words.ko:
        kernel_module.check_module(words.ko, booted)
        programs.append("ffs_stub.ko=" + words.ko)
    elif words.kmod:
        programs.append("ffs_stub.ko=" + kernel_module.build(booted)[0])
    share = words.share or os.getcwd()
    if not os.path.isdir(share):
        raise VmError(f"--share {share}: no such folder")
    return booted, guest.Options(
        share=share, programs=programs, memory_mib=words.memory, cpus=words.cpus,
        accel=words.accel, seconds=words.deadline, up_seconds=min(words.up, words.deadline),
        console=words.console, words=words.append, **more)


def script_of(command):
    """One word is a line of shell, several are a command."""
    return (command[0] if len(command) == 1 else shlex.join(command)) + "\n"


def told(main):
    """The exit code of main(); an error is one line (and the console's tail)."""
    try:
        return main()
    except VmError as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return INFRASTRUCTURE
