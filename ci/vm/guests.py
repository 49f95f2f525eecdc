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
IDLE_SHARE = 0.9  # of all processors, before the boot whose time counts
DUMP_MAGIC = b"KDUMP   "


def surroundings(share, path=None):
    """What a failed guest leaves goes where all of ours goes."""
    return {**os.environ, "PATH": path or os.environ["PATH"], "TMPDIR": share}


class Asked:
    """One call of a command of this folder. `seconds` is from start to end."""

    def __init__(self, share, name, *words, path=None):
        self.share = share
        began = time.monotonic()
        done = subprocess.run([os.path.join(HERE, name), "--share", share, *words],
                              capture_output=True, text=True, timeout=200, check=False,
                              env=surroundings(share, path))
        self.seconds = time.monotonic() - began
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def said(self):
        return f"exit {self.code}, {self.seconds:.1f} s, out {self.out!r}, err {self.err!r}"


def main():
    checks = Checks("guests", 900)
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
        failed_crashes(checks, share)
    return checks.code


def commands(checks, share, kernel):
    idle = idle_share()
    asked = Asked(share, "run", "--", "uname -r; echo a; echo b >&2; cat /proc/1/comm; exit 7")
    checks.check("the command's output and code are ours", asked.code == 7 and
                 asked.out == f"{kernel.release}\na\nb\ninit\n", asked.said())
    boot_time(checks, asked, idle)
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


def idle_share():
    """Of all processors, in one second."""
    def times():
        with open("/proc/stat", encoding="ascii") as stream:
            return [int(word) for word in stream.readline().split()[1:9]]
    before = times()
    time.sleep(1)
    spent = [now - then for now, then in zip(times(), before)]
    return (spent[3] + spent[4]) / max(1, sum(spent))


def boot_time(checks, asked, idle):
    """The limit is of an idle machine; of a busy one only the time is told."""
    checks.row("boot to power-off", f"{asked.seconds:.1f} s, processors {idle:.0%} idle before",
               f"{BOOT_LIMIT_S} s, idle machine")
    name = f"from boot to power-off within {BOOT_LIMIT_S} s"
    if idle >= IDLE_SHARE:
        checks.check(name, asked.seconds <= BOOT_LIMIT_S, f"{asked.seconds:.1f} s")
    else:
        checks.skip(name, f"the processors are only {idle:.0%} idle ({asked.seconds:.1f} s)")


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
    checks.check("neither QEMU nor busybox: 77 and what to install in one line", asked.code == 77
                 and "apt-get install qemu-system-x86 busybox-static" in asked.err
                 and asked.err.count("\n") == 1, asked.said())


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


def failed_crashes(checks, share):
    """Nothing is called a dump that is none, and what to change is said."""
    for memory, part in (("64M", "kexec could not load the crash kernel"),
                         ("80M", "the crash kernel left no vmcore")):
        asked = Asked(share, "crash_dump", "--append", f"crashkernel={memory}", "--", "true")
        checks.check(f"a crash kernel with {memory} only: said, with what to give", asked.code == 3
                     and part in asked.err and "crashkernel=256M" in asked.err and
                     not os.path.exists(os.path.join(share, "vmcore")), asked.said())
    if os.geteuid() != 0:
        checks.skip("a full disk", "not root")
        return
    small = os.path.join(share, "small")
    os.mkdir(small)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=8m none "$1" || exit 9; "$2" --share '
         '"$1" -- true; code=$?; ls "$1"; exit $code', "sh", small,
         os.path.join(HERE, "crash_dump")],
        capture_output=True, text=True, timeout=200, check=False, env=surroundings(share))
    checks.check("a disk that the dump fills: said, and no vmcore", done.returncode == 3 and
                 "makedumpfile ended with" in done.stderr and
                 "No space left on device" in done.stderr and done.stdout == "vmcore.part\n",
                 f"exit {done.returncode}, {done.stdout!r}, {done.stderr[-600:]!r}")


if __name__ == "__main__":
    sys.exit(main())
