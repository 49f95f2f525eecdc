#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ci/vm/run and crash_dump as a user runs them: codes, output, deadlines, crashes, wrong input."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import kernel_package  # noqa: E402
import qemu  # noqa: E402
from checks import Checks  # noqa: E402
from errors import VmError  # noqa: E402

BOOT_LIMIT_S = 10
DUMP_MAGIC = b"KDUMP   "


class Asked:
    """One call of a command of this folder. `seconds` is from start to end."""

    def __init__(self, share, name, *words, path=None):
        self.share = share
        began = time.monotonic()
        done = subprocess.run([os.path.join(HERE, name), "--share", share, *words],
                              capture_output=True, text=True, timeout=200, check=False,
                              env={**os.environ, "PATH": path or os.environ["PATH"]})
        self.seconds = time.monotonic() - began
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def said(self):
        return f"exit {self.code}, {self.seconds:.1f} s, out {self.out!r}, err {self.err!r}"


def main():
    checks = Checks("guests", 600)
    with checks:
        try:
            qemu.program()
        except VmError as error:
            checks.skip("everything", str(error))
            return checks.code
        kernel = kernel_package.current()
        share = tempfile.mkdtemp(prefix="stallproof-measure-")
        checks.at_end(lambda: shutil.rmtree(share, ignore_errors=True))
        commands(checks, share, kernel)
        shell(checks, share)
        failures(checks, share)
        refusals(checks, share, kernel)
        crashes(checks, share)
    return checks.code


def commands(checks, share, kernel):
    asked = Asked(share, "run", "--", "uname -r; echo a; echo b >&2; cat /proc/1/comm; exit 7")
    checks.check("the command's output and code are ours", asked.code == 7 and
                 asked.out == f"{kernel.release}\na\nb\ninit\n", asked.said())
    checks.row("boot to power-off", f"{asked.seconds:.1f} s", f"{BOOT_LIMIT_S} s, idle machine")
    with open(os.path.join(share, "in"), "w", encoding="utf-8") as stream:
        stream.write("from the host\n")
    asked = Asked(share, "run", "--program", "/usr/bin/env", "--kernel", kernel.image, "--modules",
                  kernel.modules_root, "--", "sh", "-c",
                  "cat in; modprobe dm_mod && env true && echo 'of the guest' > out")
    with open(os.path.join(share, "out"), encoding="utf-8") as stream:
        out = stream.read()
    checks.check("a kernel given by path runs; files, modules and programs are there",
                 asked.code == 0 and asked.out == "from the host\n" and out == "of the guest\n",
                 asked.said())


def shell(checks, share):
    """A person at a terminal: the prompt, a command, `exit`."""
    ours, theirs = pty.openpty()
    began, seen, typed = time.monotonic(), b"", False
    person = subprocess.Popen([os.path.join(HERE, "shell"), "--share", share], stdin=theirs,
                              stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    while person.poll() is None and time.monotonic() - began < 60:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the terminal's other end is closed
                break
        if b"# " in seen and not typed:
            os.write(ours, b"echo $((40 + 2)); ls in; exit 3\n")
            typed = True
    if person.poll() is None and not typed:
        person.terminate()
    code = person.wait(timeout=30)
    os.close(ours)
    checks.check("a shell at a terminal", code == 3 and
                 b"42\nin\n" in seen.replace(b"\r", b""),
                 f"exit {code}, {seen[-200:]!r}")


def failures(checks, share):
    asked = Asked(share, "run", "--deadline", "15", "--", "echo begun; sleep 99")
    checks.check("a guest that hangs is ended, with what it said", asked.code == 3 and
                 asked.out == "begun\n" and "was not done after 15 s" in asked.err, asked.said())
    asked = Asked(share, "run", "--append", "rdinit=/none", "--append", "root=none",
                  "--deadline", "60", "--", "true")
    checks.check("a guest that never comes up shows the end of its console", asked.code == 3 and
                 "the guest never came up" in asked.err and "Kernel panic" in asked.err,
                 asked.said())
    asked = Asked(share, "run", "--", "echo 1 > /proc/sys/kernel/sysrq; echo c > "
                  "/proc/sysrq-trigger")
    checks.check("a panic without a crash kernel is told", asked.code == 3 and
                 "without a word" in asked.err and "Kernel panic" in asked.err, asked.said())


def refusals(checks, share, kernel):
    """One line each, exit 2 or 77, and no boot."""
    text = os.path.join(share, "in")
    empty = os.path.join(share, "empty")
    os.mkdir(empty)
    for name, code, part, words in (
            ("no kernel", 2, "no x86 boot image", ["--kernel", text]),
            ("modules of another kernel", 2, "give the modules of this kernel",
             ["--kernel", kernel.image, "--modules", empty]),
            ("modules without a kernel", 2, "belongs to --kernel", ["--modules", empty]),
            ("no module", 2, "no kernel module", ["--ko", text]),
            ("no headers", 2, "no headers of", ["--kernel", kernel.image, "--kmod"]),
            ("no such program", 2, "No such file", ["--program", os.path.join(share, "none")]),
            ("no such package", 3, "apt knows no kernel", ["--package", "linux-image-none"])):
        asked = Asked(share, "run", *words, "--", "true")
        if name == "no such package":  # the newest of the cache is taken, and said
            holds = asked.code == 0 and part in asked.err
        else:
            holds = asked.code == code and part in asked.err and asked.err.count("\n") == 1
        checks.check(f"refused in one line: {name}" if code == 2 else name, holds, asked.said())
    os.mkdir(os.path.join(share, "bin"))
    os.symlink(os.path.realpath(sys.executable), os.path.join(share, "bin", "python3"))
    asked = Asked(share, "run", "--", "true", path=os.path.join(share, "bin"))
    checks.check("no QEMU: 77 and what to install", asked.code == 77 and
                 "apt-get install qemu-system-x86" in asked.err, asked.said())


def crashes(checks, share):
    asked = Asked(share, "crash_dump", "--", "exit 5")
    checks.check("a command that fails is not crashed", asked.code == 5 and
                 not os.path.exists(os.path.join(share, "vmcore")), asked.said())
    for name, option in (("lzo", "-l -d 31"), ("plain", "-d 31")):
        dump = os.path.join(share, "vmcore")
        asked = Asked(share, "crash_dump", "--makedumpfile", option, "--", "sleep 1")
        head = b""
        if os.path.exists(dump):
            with open(dump, "rb") as stream:
                head = stream.read(8)
            os.remove(dump)
            os.remove(dump + ".console")
        checks.check(f"a panic leaves its vmcore here ({name})",
                     asked.code == 0 and head == DUMP_MAGIC, asked.said())
        size = re.search(r"[\d.]+ MB", asked.err)
        checks.row(f"panic to vmcore on the host, {option}", f"{asked.seconds:.1f} s, "
                   f"{size.group() if size else 'no file'}", "90 s")


if __name__ == "__main__":
    sys.exit(main())
