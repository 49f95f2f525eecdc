# SPDX-License-Identifier: Apache-2.0
"""One QEMU: starts it, reads the marks on its console, ends it at the deadline and with us."""

import ctypes
import os
import re
import signal
import subprocess
import time

import means
from errors import INFRASTRUCTURE, VmError

PROGRAM = "qemu-system-x86_64"
TAIL_LINES = 25
POWER_OFF_SECONDS = 10
PR_SET_PDEATHSIG = 1


def program():
    means.check()
    return means.find(PROGRAM)


def command(kernel, initramfs, console, words, accel="tcg", memory_mib=1024, cpus=2, shares=()):
    """`words`: the kernel's command line; `shares`: (tag, folder, readonly)."""
    line = [program(), "-accel", "kvm" if accel == "kvm" else "tcg,thread=multi",
            "-cpu", "host" if accel == "kvm" else "max", "-smp", str(cpus), "-m", f"{memory_mib}M",
            "-display", "none", "-monitor", "none", "-no-reboot", "-nic", "none",
            "-chardev", f"file,id=console,path={quoted(console)}", "-serial", "chardev:console",
            "-chardev", "stdio,id=output,signal=off", "-serial", "chardev:output",
            "-kernel", kernel.image, "-initrd", initramfs,
            "-append", "console=ttyS0 panic=-1 quiet " + " ".join(words)]
    for tag, folder, readonly in shares:
        only = ",readonly=on" if readonly else ""
        line += ["-fsdev", f"local,id={tag},path={quoted(folder)},security_model=none{only}",
                 "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return line


def quoted(path):
    return path.replace(",", ",,")


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """`with Machine(…) as machine: machine.wait(…)`: QEMU is gone at the end of the block."""

    def __init__(self, line, console, mark, stdin=subprocess.DEVNULL, stdout=None, own_group=True):
        self.console, self.mark = console, mark
        self.began = time.monotonic()
        self.read_size, self.read_marks = 0, {}
        with open(console, "wb"):
            pass
        # pylint: disable-next=subprocess-popen-preexec-fn
        self.process = subprocess.Popen(line, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                        start_new_session=own_group, preexec_fn=end_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def marks(self):
        """{word: rest of the line} of what the guest has told so far, in whole lines."""
        size = os.path.getsize(self.console)
        if size != self.read_size:
            found = re.findall(rf"^{self.mark} (\S+) ?(.*)\n", self.text(), re.M)
            self.read_size, self.read_marks = size, dict(found)
        return self.read_marks

    def text(self):
        with open(self.console, "rb") as stream:
            return stream.read().decode("utf-8", "replace").replace("\r", "")

    def tail(self):
        lines = [line for line in self.text().splitlines() if line.strip()]
        return "\n".join("  | " + line for line in lines[-TAIL_LINES:])

    def wait(self, up_seconds, seconds):
        """Until QEMU has ended; the marks. Raises when the guest never came up, or at the end of
        its time. A guest that has told its end is given a moment to power off."""
        told = None
        while self.process.poll() is None:
            marks, age = self.marks(), time.monotonic() - self.began
            if "up" not in marks and age > up_seconds:
                self.fail(f"the guest did not come up in {up_seconds} s")
            if age > seconds:
                self.fail(f"the guest was not done after {seconds} s")
            if told is None and marks.keys() & {"rc", "captured", "lacks"}:
                told = time.monotonic()
            if told is not None and time.monotonic() - told > POWER_OFF_SECONDS:
                break
            time.sleep(0.05)
        marks = self.marks()
        if "up" not in marks and "lacks" not in marks:
            said = self.process.stderr.read().decode("utf-8", "replace").strip() \
                if self.process.poll() is not None else ""
            self.fail("the guest never came up" + (f": {said.splitlines()[-1]}" if said else ""))
        return marks

    def fail(self, what):
        """Raises, with a panic's reason in the line: the tail may be all stack."""
        panic = re.findall(r"Kernel panic - not syncing: .*", self.text())
        what, tail = "; ".join([what, *panic[-1:]]), self.tail()
        raise VmError(f"{what}; console: {self.console}" + (f"\n{tail}" if tail else
                                                            " (it is empty)"), INFRASTRUCTURE)
