#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain --vmcore on a real dump of the mmap_lock deadlock: class and roles, stacks against those
that /proc/PID/stack gave before the crash, time and memory, other forms of the same dump, and
damaged copies.

vmcore.py [--package NAME] [--keep DIR] [--truncations N] [--flips N] [--seed N]
    makes the dump, in a guest
vmcore.py VMCORE [--stacks FILE] [--sizes FILE] [--kallsyms FILE] [--module FILE.ko] …"""

import argparse
import collections
import json
import os
import random
import shutil
import sys
import tempfile

import vmcore_dump  # first: it says where ci/vm is
import kmod_judge
import postmortem
import vmcore_forms
import vmcore_judge as judge
from checks import Checks
from program import Workspace
from vmcore_explain import explain, explain_text

MOST_SECONDS = 0.3
MOST_KIB = 64 * 1024
FIRST_S, EACH_S = 60, 0.6  # the script's own deadline


def check_explanation(checks, path):
    """The explanation as JSON, None without one."""
    ran = explain(path, "--json")
    if not checks.check("the dump is explained, and read in full", ran.code == 0, ran.err[-300:]):
        return None
    told = json.loads(ran.out)
    checks.check("class is mmap_lock_cycle", told["class"] == "mmap_lock_cycle", told["class"])
    roles = collections.defaultdict(list, judge.roles_of(told))
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
    return told


def check_views(checks, path, words, told):
    bt = explain(path, "--bt")
    ours = judge.stacks_of_bt(bt.out)
    checks.check("--bt prints every task", bt.code == 0 and len(ours) > 30, bt.err[-200:])
    checks.all("--bt shows holder, writer and service thread with the crash core's frames",
               judge.without_frames(ours, {"holder": kmod_judge.HOLDER,
                                           "writer": kmod_judge.WRITER_LOCK,
                                           "service thread": kmod_judge.SERVICE_LOCK}))
    if words.stacks:
        with open(words.stacks, encoding="utf-8", errors="replace") as file:
            before = judge.stacks_of_proc(file.read())
        compared, differ, moved = judge.different_stacks(ours, before)
        checks.check("stacks were compared", compared > 30, str(compared))
        checks.all("stacks of stuck tasks are those before the crash, without what /proc leaves "
                   "out", differ)
        checks.row(f"stacks compared (moved on: {', '.join(moved) or 'none'})", compared, 30)
    tasks = explain(path, "--tasks")
    checks.check("--tasks lists as many", tasks.out.count("\n") - 1 >= len(ours), tasks.err[-200:])
    if words.sizes:
        with open(words.sizes, encoding="utf-8", errors="replace") as file:
            compared, differ = judge.different_sizes(tasks.out, file.read())
        checks.all("sizes of the stuck process are those before the crash",
                   differ if compared else ["none was compared"])
    waiters = explain(path, "--waiters")
    checks.check("--waiters lists a queue", "RWSEM_WAITING_FOR_WRITE" in waiters.out,
                 waiters.err[-200:])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
        text.write(bt.out + waiters.out)
        text.flush()
        again = explain_text(text.name)
    if not checks.check("--bt and --waiters are read back as crash text", again.code in (0, 3),
                        again.err[-300:]):
        return
    read = json.loads(again.out)
    checks.check("read back they are the same class", read["class"] == told["class"], read["class"])
    checks.all("and the same roles", judge.different_roles(told, read))


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
                if problem := judge.unacceptable(ran):
                    problems.append(f"byte {at}: {problem}")
            checks.all(f"{words.flips} dumps with one byte flipped", problems)
            problems = []
            # From the longest to the shortest: each is cut from the one before.
            for number in range(words.truncations - 1, -1, -1):
                os.ftruncate(file.fileno(), size * number // words.truncations)
                ran = explain(copy, "--json")
                worst = max(worst, ran.seconds)
                if problem := judge.unacceptable_cut(ran):
                    problems.append(f"cut at {number}/{words.truncations}: {problem}")
            checks.all(f"{words.truncations} dumps cut short are refused", problems)
    checks.row("longest damaged", round(worst, 2), judge.MOST_HANG)


def check_postmortem(checks, path):
    """The same dump as what a dead node left: its run is closed, and fails by it."""
    space = Workspace()
    checks.at_end(space.remove)
    postmortem.real_dump(checks, space, path)


def dump_of(checks, words):
    """Makes what was not given."""
    if words.vmcore:
        return words.vmcore
    folder = words.keep or tempfile.mkdtemp(prefix="stallproof-measure-")
    os.makedirs(folder, exist_ok=True)
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
    words.stacks, words.sizes, words.kallsyms, words.module = (
        os.path.join(folder, name)
        for name in ("stacks.txt", "sizes.txt", "kallsyms.txt", "ffs_stub.ko"))
    return vmcore_dump.make(checks, folder, words.package)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vmcore", nargs="?")
    parser.add_argument("--package", default="linux-image-amd64", help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the dump there")
    parser.add_argument("--stacks", help="/proc/PID/stack of all tasks before the crash")
    parser.add_argument("--sizes", help="/proc/PID/status of processes: see vmcore_dump.py")
    parser.add_argument("--kallsyms", help="/proc/kallsyms before the crash")
    parser.add_argument("--module", help="the .ko file that was loaded; the dump is not compressed")
    parser.add_argument("--truncations", type=int, default=50)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    limit = FIRST_S + EACH_S * (words.flips + words.truncations)
    with Checks("vmcore", limit + (0 if words.vmcore else vmcore_dump.LIMIT_S)) as checks:
        path = dump_of(checks, words)
        told = check_explanation(checks, path) if path else None
        if told:
            check_views(checks, path, words, told)
            vmcore_forms.check(checks, path, words, told)
            check_postmortem(checks, path)
        if path:
            check_damage(checks, path, words)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
