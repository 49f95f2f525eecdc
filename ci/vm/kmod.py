#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel module in a guest: builds without a warning, refuses, makes the reported stall with
the crash core's frames every time, never under a fix, holds each kind of lock, and always
unloads."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import guest  # noqa: E402
import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import kmod_judge as judge  # noqa: E402
import qemu  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from kmod_evidence import numbers, read  # noqa: E402
from places import TOP  # noqa: E402

FIXES = ("pin-in-submitter", "fault-retry", "separate-pool", "trylock")
QUEUES = ("segment", "shared")
CASES = [(fix, queues) for fix in FIXES for queues in QUEUES]
SHORT_CASES = [(fix, QUEUES[number % 2]) for number, fix in enumerate(FIXES)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true",
                        help="2 stalls, one kind of queue and 5 s per fix")
    parser.add_argument("--stalls", type=int, help="default 20")
    parser.add_argument("--seconds", type=int, help="per fix and kind of queue, default 20")
    parser.add_argument("--package", default=kernel_package.META, help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the guest's evidence there")
    words = parser.parse_args()
    plan = Plan(words.stalls or (2 if words.short else 20),
                words.seconds or (5 if words.short else 20),
                SHORT_CASES if words.short else CASES)
    checks = Checks("kmod", plan.limit + 120)
    with checks:
        prove(checks, words, plan)
    return checks.code


class Plan:
    """What the guest makes happen."""

    def __init__(self, stalls, seconds, cases):
        self.stalls, self.seconds, self.cases = stalls, seconds, cases
        self.limit = 150 + stalls * 8 + len(cases) * (seconds + seconds // 10 + 7)

    def script(self):
        cases = " ".join(f"{fix}:{queues}" for fix, queues in self.cases)
        return f"set -- {self.stalls} {self.seconds} {cases}\n" + read(HERE, "kmod_guest.sh")


def prove(checks, words, plan):
    try:
        qemu.program()
        kernel = kernel_package.current(words.package)
        warnings = kernel_module.all_warnings(kernel, ["W=1"])
        module = kernel_module.build(kernel)[0]
    except VmError as error:
        if error.code == LACKS_MEANS:
            checks.skip("everything", str(error))
            return
        raise
    checks.all(f"builds without a warning for {kernel.release}", warnings)
    share = words.keep or tempfile.mkdtemp(prefix="stallproof-measure-")
    os.makedirs(share, exist_ok=True)
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(share, ignore_errors=True))
    ended = guest.run(kernel, plan.script(), guest.Options(
        share=share, console=os.path.join(share, "console.log"), seconds=plan.limit,
        programs=[client(share), "ffs_stub.ko=" + module]))
    checks.check("the guest's script ran to its end", ended.code == 0, f"exit {ended.code}")
    checks.row("boot to power-off, all cases", f"{ended.seconds:.0f} s", f"{plan.limit} s")
    judge_all(checks, share, plan)


def client(folder):
    """The load, static, so that it needs nothing in the guest."""
    program = os.path.join(folder, "stall_client")
    done = subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
         "-I", os.path.join(TOP, "workloads/ffs"), "-o", program,
         os.path.join(TOP, "kmod-stub/test/stall_client.c")],
        capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise VmError(f"stall_client.c: {(done.stderr.splitlines() or ['?'])[0]}")
    return program


def judge_all(checks, share, plan):
    seconds = plan.seconds

    def folder(name):
        return os.path.join(share, name)

    checks.all("what is wrong is refused, and says why", judge.refusals(folder("refused")))
    names = [f"stall-{number}" for number in range(1, plan.stalls + 1)]
    for name in names:
        checks.all(f"{name}: the circle closes and stands, with the crash core's frames",
                   judge.stall(folder(name)))
    times = sorted(numbers(read(folder(name), "standstill")).get("stalled", -1) for name in names)
    checks.row("load start to last read, max", f"{times[-1]} ms", f"{judge.STALL_LIMIT_MS} ms")
    checks.all("an abort by debugfs heals it", judge.ended(folder("heal"), ("healed", "rmmod")))
    for fix, queues in plan.cases:
        where = folder(f"fix-{fix}-{queues}")
        checks.all(f"{fix}, {queues} queues: no stall, work in each of {seconds} s",
                   judge.fix(where, seconds))
        last = numbers(read(where, f"counters-{seconds}"))
        checks.row(f"{fix}, {queues}: page reads, direct reads, hazards",
                   ", ".join(str(last.get(name, 0)) for name in
                             ("page_reads", "direct_reads", "hazards")), "all > 0")
    for kind in (*judge.HELD, "spin"):
        checks.all(f"hold {kind}: blocks, is seen and ends",
                   judge.hold(folder(f"hold-{kind}"), kind))
    kmsg = read(folder("refused"), "kmsg") + read(share, "kmsg")
    checks.all("the kernel complains of nothing", judge.kernel_log(kmsg))


if __name__ == "__main__":
    sys.exit(main())
