#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain --vmcore on a real dump of the mmap_lock deadlock: class and roles, stacks against those
that /proc/PID/stack gave before the crash, time and memory, and damaged copies. The dump is made by
the VM step; without one there is nothing to check.

vmcore.py VMCORE [--stacks FILE] [--truncations N] [--flips N] [--seed N]"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from checks import Checks
from program import BINARY

MOST_SECONDS = 0.3
MOST_KIB = 64 * 1024
MOST_HANG = 5.0
LIMIT_S = 175

Ran = collections.namedtuple("Ran", "code out err seconds peak_kib")


def explain(path, *words):
    """One run, with what it and its reader took. Outputs in files: see program.py."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen([BINARY, "explain", "--vmcore", path, *words],
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Ran(child.returncode, out.read().decode(errors="replace"),
                   err.read().decode(errors="replace"), seconds, usage.ru_maxrss)


def stacks_of_bt(text):
    """PID to (comm, [function])."""
    stacks, frames = {}, []
    for line in text.splitlines():
        if head := re.match(r'PID: (\d+) .*COMMAND: "(.*)"', line):
            frames = []
            stacks[int(head[1])] = (head[2], frames)
        elif frame := re.match(r" *#\d+ \[[0-9a-f]+\] (\S+) at ", line):
            frames.append(frame[1])
    return stacks


def stacks_of_proc(text):
    """PID to (comm, state, [function]) out of "== TID COMM State: S (…)" and /proc/PID/stack."""
    stacks, frames = {}, []
    for line in text.splitlines():
        if head := re.match(r"== (\d+) (.*?) State:\s*(\S)", line):
            frames = []
            stacks[int(head[1])] = (head[2], head[3], frames)
        elif frame := re.match(r"\[<0>\] ([^+\s]+)", line):
            frames.append(frame[1])
    return stacks


# What /proc/PID/stack leaves out: functions of the scheduler and of locks, always innermost.
LEFT_OUT = re.compile(r"schedule|rwsem_|down_|mutex_lock|wait_for_c|__wait_for|io_schedule|"
                      r"wait_for_common|usleep|hrtimer|nanosleep|wait_woken|kthread_parkme|"
                      r"bit_wait|out_of_line_wait|__down|percpu|rt_mutex")


def compare_stacks(checks, ours, before):
    """Tasks that slept through: same functions, in the same order."""
    compared, differ = 0, []
    for pid, (comm, state, frames) in before.items():
        if state not in "SDI" or not frames or pid not in ours:
            continue
        mine = ours[pid][1]
        compared += 1
        inner = mine[:len(mine) - len(frames)]
        if mine[-len(frames):] == frames and all(LEFT_OUT.search(each) for each in inner):
            continue
        # What polls or serves a timer has moved on since; what is stuck has not.
        if state == "D" or comm.startswith("dataio_srv"):
            differ.append(f"{comm} {pid}: {' < '.join(mine[:6])} for {' < '.join(frames[:4])}")
        else:
            checks.row(f"moved on since: {comm} {pid}", 1, 1)
    checks.check("stacks were compared", compared > 30, str(compared))
    checks.all("stacks of stuck tasks are those before the crash, without what /proc leaves out",
               differ)
    checks.row("stacks compared", compared, 30)


def check_explanation(checks, path):
    ran = explain(path, "--json")
    if not checks.check("the dump is explained", ran.code in (0, 3), ran.err[-300:]):
        return
    told = json.loads(ran.out)
    checks.check("class is mmap_lock_cycle", told["class"] == "mmap_lock_cycle", told["class"])
    roles = collections.defaultdict(list)
    for node in told["nodes"]:
        if node["kind"] == "task":
            roles[node["role"]].append(node["comm"])
    served = [edge for edge in told["edges"] if edge["kind"] == "served_by"]
    checks.check("a task holds the lock", roles["holder"], str(dict(roles)))
    checks.check("a writer queues", roles["queued_writer"], str(dict(roles)))
    checks.check("a service thread queues behind it",
                 any(comm.startswith("dataio_srv") for comm in roles["queued_reader"]),
                 str(dict(roles)))
    checks.check("the service is part of the circle", bool(served) and bool(told["cycle"]),
                 str(told["cycle"]))
    seconds = min([ran.seconds] + [explain(path).seconds for _ in range(4)])
    checks.check(f"read and explained within {MOST_SECONDS} s", seconds <= MOST_SECONDS,
                 f"{seconds:.3f} s")
    checks.check("within 64 MiB", ran.peak_kib <= MOST_KIB, f"{ran.peak_kib} KiB")
    checks.row("seconds", round(seconds, 3), MOST_SECONDS)
    checks.row("peak KiB", ran.peak_kib, MOST_KIB)


def check_views(checks, path, stacks):
    bt = explain(path, "--bt")
    ours = stacks_of_bt(bt.out)
    checks.check("--bt prints every task", bt.code in (0, 3) and len(ours) > 30, bt.err[-200:])
    if stacks:
        with open(stacks, encoding="utf-8", errors="replace") as file:
            compare_stacks(checks, ours, stacks_of_proc(file.read()))
    tasks = explain(path, "--tasks")
    checks.check("--tasks lists as many", tasks.out.count("\n") - 1 >= len(ours), tasks.err[-200:])
    waiters = explain(path, "--waiters")
    checks.check("--waiters lists a queue", "RWSEM_WAITING_FOR_WRITE" in waiters.out,
                 waiters.err[-200:])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
        text.write(bt.out + waiters.out)
        text.flush()
        again = subprocess.run([BINARY, "explain", "--crash-text", text.name, "--json"],
                               capture_output=True, text=True, timeout=20, check=False)
    told = json.loads(again.stdout)["class"] if again.returncode in (0, 3) else again.stderr
    checks.check("read back as crash text it is the same class", told == "mmap_lock_cycle", told)


def acceptable(ran):
    """Refused in one line, or a result; never dead, never late."""
    if ran.seconds > MOST_HANG:
        return f"{ran.seconds:.1f} s"
    if ran.code == 2 and len(ran.err.strip().splitlines()) == 1:
        return ""
    return "" if ran.code in (0, 3) and ran.out else f"exit {ran.code}: {ran.err[-120:]}"


def check_damage(checks, path, words):
    """One copy, damaged and mended in turn."""
    dice = random.Random(words.seed)
    size = os.path.getsize(path)
    problems, worst = [], 0.0
    with tempfile.TemporaryDirectory(prefix="vmcore-", dir=os.path.dirname(path) or ".") as place:
        copy = os.path.join(place, "vmcore")
        shutil.copyfile(path, copy)
        with open(copy, "r+b", buffering=0) as file:
            for number in range(words.flips):
                # Every other one in the headers, where sizes and places stand.
                at = dice.randrange(65536 if number % 2 else size)
                good = os.pread(file.fileno(), 1, at)
                os.pwrite(file.fileno(), bytes([good[0] ^ dice.randrange(1, 256)]), at)
                ran = explain(copy, "--json")
                os.pwrite(file.fileno(), good, at)
                worst = max(worst, ran.seconds)
                if problem := acceptable(ran):
                    problems.append(f"byte {at}: {problem}")
            checks.all(f"{words.flips} dumps with one byte flipped", problems)
            problems = []
            # From the longest to the shortest: each is cut from the one before.
            for number in range(words.truncations - 1, -1, -1):
                os.ftruncate(file.fileno(), size * number // words.truncations)
                ran = explain(copy, "--json")
                worst = max(worst, ran.seconds)
                if problem := acceptable(ran):
                    problems.append(f"cut at {number}/{words.truncations}: {problem}")
            checks.all(f"{words.truncations} dumps cut short", problems)
    checks.row("longest damaged", round(worst, 2), MOST_HANG)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vmcore")
    parser.add_argument("--stacks", help="/proc/PID/stack of all tasks before the crash")
    parser.add_argument("--truncations", type=int, default=50)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with Checks("vmcore", LIMIT_S) as checks:
        check_explanation(checks, words.vmcore)
        check_views(checks, words.vmcore, words.stacks)
        check_damage(checks, words.vmcore, words)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
