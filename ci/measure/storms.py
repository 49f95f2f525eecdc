#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The profiles of mprotect-storm, traced from outside: each makes the calls of the JVM it stands
for, in its order, sizes and rate, and a thread of thread-churn makes its four calls, no other."""

import argparse
import os
import shutil
import subprocess
import sys
from collections import defaultdict

sys.dont_write_bytecode = True

from checks import Checks  # noqa: E402
from program import TOP, Workspace, read_text  # noqa: E402
from storm_trace import calls, generations, life_problems, share_problems  # noqa: E402

WORKER_THREAD, NEW_THREAD = 2, 3  # clones away from the program that starts the worker
MEMORY = ("mmap", "munmap", "mprotect", "madvise")
RW, NONE, READ = "PROT_READ|PROT_WRITE", "PROT_NONE", "PROT_READ"
KIB = 1024
STEADY = {(32, RW): .60, (64, RW): .175, (4, RW): .135, (8, RW): .05, (16, NONE): .02,
          (8, READ): .01, (16, READ): .01}
START = {(4, RW): .60, (32, RW): .10, (8, RW): .05, (16, NONE): .05, (16, RW): .03, (4, READ): .024,
         (132, RW): .023, (64, RW): .02, (1024, RW): .013}


class Lab:
    def __init__(self, build, space):
        self.loop, self.space = os.path.join(build, "ci/workload_loop"), space

    def traced(self, profile, *words, seconds=2, threads=1):
        """{tid: memory calls} of the load's own threads and of the threads that they started."""
        log = self.space.new("strace")
        subprocess.run(
            ["strace", "-f", "-qq", "-ttt", "-s0", "-o", log, "-e",
             "trace=clone,clone3,fork,vfork," + ",".join(MEMORY), self.loop, "mprotect-storm",
             "--threads", str(threads), "--seconds", str(seconds), "--warm", "0",
             f"profile={profile}", *words],
            check=True, timeout=seconds * 10 + 60, stdout=subprocess.DEVNULL)
        found = calls(read_text(log))
        depth = generations(found)
        own, born = defaultdict(list), defaultdict(list)
        for call in found:
            of = {WORKER_THREAD: own, NEW_THREAD: born}.get(depth[call.tid])
            if of is not None and call.name in MEMORY:
                of[call.tid].append(call)
        lives = {tid: born[tid] for tid, generation in depth.items() if generation == NEW_THREAD}
        return dict(own), lives


def only(own):
    """The calls of a load of one thread, without those of its C library before them."""
    return [call for each in own.values() for call in each]


def protections(mix):
    return {("mprotect", size * KIB, protection): share
            for (size, protection), share in mix.items()}


def rate(found):
    return (len(found) - 1) / (found[-1].at - found[0].at) if len(found) > 1 else 0


def thread_churn(checks, lab):
    for words, stack in (((), 1024 * KIB), (("stack-size=256KiB",), 256 * KIB)):
        _, lives = lab.traced("thread-churn", *words, seconds=1, threads=2)
        checks.check(f"threads with {stack // KIB} KiB of stack are born and die",
                     len(lives) > 100, f"{len(lives)}")
        checks.all("each makes a Java thread's four calls at the bottom of its stack, and no other",
                   [problem for life in lives.values() for problem in life_problems(life, stack)])
        checks.row(f"lives traced, {stack // KIB} KiB stacks, each verbatim", len(lives), "")
    _, lives = lab.traced("thread-churn", "birth-rate=50", seconds=2, threads=2)
    checks.check("birth-rate= is kept", 170 <= len(lives) <= 204, f"{len(lives)} in 2 s, not 200")


def jvm(checks, lab):
    own, _ = lab.traced("jvm-steady", seconds=6, threads=2)
    made = sorted((call for each in own.values() for call in each if call.name == "mprotect"),
                  key=lambda call: call.at)
    checks.check("jvm-steady makes 2 to 4 calls a second, of all threads",
                 6 * 2 - 2 <= len(made) <= 6 * 4 + 2, f"{len(made)} in 6 s")
    own, _ = lab.traced("jvm-steady", "mprotect-rate=2000", seconds=3)
    steady = [call for call in only(own) if call.name == "mprotect"]
    checks.all("jvm-steady has the measured mix", share_problems(steady, protections(STEADY)))
    own, _ = lab.traced("jvm-start", seconds=1)
    begun = [call for call in only(own) if call.name == "mprotect"]
    first = [call for call in begun if call.at < begun[0].at + 0.5]
    checks.check("jvm-start makes 400 calls in half a second", 380 <= len(first) <= 401,
                 f"{len(first)}")
    checks.check("jvm-start goes on as jvm-steady", 1 <= len(begun) - 400 <= 4, f"{len(begun)}")
    checks.all("jvm-start has the measured mix", share_problems(begun[:400], protections(START)))
    checks.check("jvm-start has many lengths",
                 len({call.arguments[1] for call in begun}) > 20, "")


def g1(checks, lab):
    own, _ = lab.traced("g1-resize", seconds=2)
    made = only(own)
    checks.check("g1-resize makes 1700 calls a second", 1600 <= rate(made) <= 1710,
                 f"{rate(made):.0f}")
    maps = [call for call in made if call.name == "mmap"]
    wrong = [call for call in maps if "MAP_FIXED" not in call.arguments[3]
             or (call.arguments[2] == NONE) != ("MAP_NORESERVE" in call.arguments[3])]
    checks.check("it commits RW and uncommits NONE|NORESERVE, at fixed addresses", not wrong,
                 str(wrong[:1]))
    sizes = {int(call.arguments[1]) for call in maps}
    checks.check("by 4 KiB to 2 MiB", min(sizes) == 4 * KIB and max(sizes) == 2048 * KIB,
                 str(sorted(sizes)))
    checks.all("it has the measured mix", share_problems(made, {("mprotect", 4096, RW): .028}))
    checks.check("it discards 6 MiB at times", any(
        call.name == "madvise" and call.arguments[1] == str(6 << 20) for call in made), "")


def polling_page(checks, lab):
    own, _ = lab.traced("polling-page", "mprotect-rate=100", seconds=2, threads=2)
    callers = {tid: each for tid, each in own.items()
               if any(call.name == "mprotect" for call in each)}
    made = [call for call in only(callers) if call.name == "mprotect"]
    checks.check("polling-page has one caller", len(callers) == 1, f"{len(callers)}")
    checks.check("it toggles one page", len({tuple(call.arguments[:2]) for call in made}) == 1
                 and made[0].arguments[1] == "4096", str(made[:1]))
    asked = [call.arguments[2] for call in made]
    checks.check("NONE, then READ, to the end", asked == [NONE, READ] * (len(asked) // 2),
                 str(asked[:4]))
    checks.check("mprotect-rate= is kept", 94 <= rate(made) <= 106, f"{rate(made):.1f}")
    armed = [after.at - before.at for before, after in zip(made[::2], made[1::2])]
    checks.check("armed for 50 us to 5 ms", 50e-6 <= min(armed) and sorted(armed)[
        int(0.95 * len(armed))] < 6e-3, f"{min(armed)} to {max(armed)}")


def raw(checks, lab):
    own, _ = lab.traced("raw", seconds=1)
    made = [call for call in only(own) if call.name == "mprotect"]
    asked = [call.arguments[2] for call in made]
    checks.check("raw takes write access and gives it back, page by page",
                 asked[:1000] == [READ, RW] * 500
                 and {call.arguments[1] for call in made} == {"4096"}, str(made[:2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(TOP, "build/dev"))
    options = parser.parse_args()
    with Checks("storms", 240) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        lab = Lab(options.build, space)
        if not shutil.which("strace") or not os.path.exists(lab.loop):
            checks.skip("everything", "strace is not installed" if os.path.exists(lab.loop)
                        else f"{lab.loop} was not built")
            return 77
        for part in (thread_churn, jvm, g1, polling_page, raw):
            part(checks, lab)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
