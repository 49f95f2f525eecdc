# SPDX-License-Identifier: Apache-2.0
"""Runs one shell script in a fresh guest. The script starts in /mnt, which is the shared folder;
its output is ttyS1, the host's stdout or a file; the kernel's is ttyS0, a file."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time

import accel
import initramfs
import means
import qemu
from errors import INFRASTRUCTURE, VmError

CRASH_MEMORY = "crashkernel=128M"


class Options:
    """What a run needs beyond script and kernel; see the options of ci/vm/run for the words."""

    def __init__(self, **given):
        self.share = None  # folder seen as /mnt; a new one when None
        self.programs = ()  # of the host, into the guest's /bin
        self.memory_mib, self.cpus, self.accel = 1024, 2, "auto"
        self.seconds, self.up_seconds = 300, 90
        self.console = None  # file; when None, one that stays only if the guest failed
        self.words = ()  # more of the kernel's command line
        self.machine = ()  # more of QEMU's
        self.kdump = None  # options of makedumpfile: a panic leaves vmcore in the share
        self.interactive = False
        self.output = None  # stdout of the script: None is ours
        for name, value in given.items():
            if not hasattr(self, name):
                raise TypeError(f"no option {name}")
            setattr(self, name, value)


class Ended:
    """`code`: the script's, None when the guest crashed instead; `dumped`: makedumpfile's."""

    def __init__(self, marks, machine, share):
        self.code = int(marks["rc"]) if "rc" in marks else None
        self.dumped = int(marks["captured"]) if "captured" in marks else None
        self.share, self.console = share, machine.console
        self.tail = machine.tail()
        self.seconds = time.monotonic() - machine.began


def run(kernel, script, options=None):
    """Boots, runs, powers off. Raises VmError when the guest could not tell how it ended."""
    means.check()
    options = options or Options()
    share = os.path.abspath(options.share or tempfile.mkdtemp(prefix="stallproof-vm-share-"))
    chosen = accel.choose(kernel, options.accel)
    with tempfile.TemporaryDirectory(prefix="stallproof-vm-") as work:
        image = os.path.join(work, "initramfs")
        initramfs.build(image, kernel, options.programs, options.kdump is not None)
        control = write_control(work, kernel, script, options, image)
        mark = "stallproof-" + secrets.token_hex(4)
        shares = [("control", control, False), ("host", share, False)]
        if kernel.modules_root is not None:
            modules = os.path.join(kernel.modules_root, "lib/modules")
            shares.append(("modules", os.path.realpath(modules), True))
        console = os.path.abspath(options.console or new_console())
        line = qemu.command(kernel, image, console, command_line(mark, options), chosen,
                            options.memory_mib, options.cpus, shares) + list(options.machine)
        source = None if options.interactive else subprocess.DEVNULL
        with qemu.Machine(line, console, mark, source, options.output,
                          not options.interactive) as machine:
            marks = machine.wait(options.up_seconds, options.seconds)
            ended = judge(marks, machine, share, options.kdump is not None)
    if options.console is None and ended.code is not None:
        os.remove(console)
    return ended


def new_console():
    handle, path = tempfile.mkstemp(prefix="stallproof-vm-", suffix=".console")
    os.close(handle)
    return path


def command_line(mark, options):
    words = [f"sp.mark={mark}", *options.words]
    if options.kdump is not None and not any("crashkernel" in word for word in words):
        words.append(CRASH_MEMORY)
    return words


def write_control(work, kernel, script, options, image):
    control = os.path.join(work, "control")
    os.mkdir(control)
    write(control, "script", script)
    if options.interactive:
        write(control, "interactive", "")
    if options.kdump is not None:
        write(control, "dump-options", options.kdump + "\n")
        shutil.copyfile(kernel.image, os.path.join(control, "crash-kernel"))
        shutil.copyfile(image, os.path.join(control, "crash-initrd"))
    return control


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def judge(marks, machine, share, armed=False):
    """`armed`: a crash kernel was to save the dump."""
    if "lacks" in marks:
        what = {"shares": "virtio-9p neither built in nor among the modules; give --modules DIR",
                "crash-kernel": "kexec could not load the crash kernel; more --memory, or "
                                "--append crashkernel=256M"}.get(marks["lacks"], marks["lacks"])
        machine.fail(f"the guest lacks {marks['lacks']}: {what}")
    if "rc" not in marks and "captured" not in marks:
        machine.fail("the crash kernel left no vmcore: too little memory for it? (--append "
                     "crashkernel=256M)" if armed else
                     "the guest ended without a word (a panic without --kdump ends it at once)")
    if marks.get("captured", "0") != "0":
        raise VmError(f"makedumpfile ended with {marks['captured']}; what it wrote so far is "
                      f"{os.path.join(share, 'vmcore.part')}; console: {machine.console}\n"
                      f"{machine.tail()}", INFRASTRUCTURE)
    return Ended(marks, machine, share)
