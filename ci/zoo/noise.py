#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The soak of false alarms: healthy loads, some slow by their plan and some bursty, on CPUs that
are wanted four times, beside a process short of memory, under a watchdog that is itself stopped now
and then. Whatever is told of a stall is false."""

import argparse
import os
import random
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

from checks import Checks, stop_if_lacking  # noqa: E402
from healthy_noise import Burners  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from memory_pressure import MemoryPressure  # noqa: E402
from own_mounts import Ffs, LoopFs, Tmpfs  # noqa: E402
from program import Started, Workspace, read_json  # noqa: E402

OVERLOAD = 4  # processes for each CPU
# Slow by plan: one I/O every half second and thread. Bursty: calls in heaps, with pauses longer
# than a stall. Phases: loads that are off for longer than a stall.
PLAN = """
[plan]
size = "192MiB"

[[process]]
name = "slow"
  [[process.load]]
  name = "rare"
  workload = "direct-io"
  threads = 2
  io-rate = 2
  io-file-size = "32MiB"

  [[process.load]]
  name = "faults"
  workload = "mapped-fault"
  threads = 2
  file-size = "32MiB"

[[process]]
name = "bursty"
  [[process.load]]
  name = "heaps"
  workload = "mprotect-storm"
  threads = 2
  burst-calls = 500
  burst-every = "2500ms"

  [[process.load]]
  name = "direct"
  workload = "direct-io"
  threads = 4
  io-file-size = "64MiB"

[[phase]]
name = "all"
duration = "4s"

[[phase]]
name = "few"
duration = "3s"
loads = ["rare", "heaps"]
"""
# The watchdog: stopped for so long, then left alone for so long, in seconds.
STOPPED, LEFT_ALONE = (0.2, 4.0), (2.0, 6.0)
STARTS_WITHIN, ENDS_WITHIN = 60, 90


def told(name, verdict):
    """What is wrong with one run's verdict, as sentences."""
    if verdict is None:
        return [f"{name}: no verdict"]
    problems = [f"{name}: told a stall: {stall.get('class')} at {stall.get('onset_ms')} ms for "
                f"{stall.get('sources')}" for stall in verdict.get("stalls", [])]
    loads = verdict.get("workloads") or {}
    problems += [f"{name}: {load} did nothing" for load, entry in loads.items()
                 if not entry.get("ops")]
    return problems if loads else [*problems, f"{name}: no load"]


class Watched:
    """One `stallproof run`, whose watchdog can be stopped for a while."""

    def __init__(self, name, words, space):
        self.name, self.started = name, Started(["run", *words], space)
        self.watchdog, self.stopped, self.stops = None, False, 0
        self.next_at = time.monotonic() + LEFT_ALONE[1]

    def find_watchdog(self):
        event = self.started.wait_event(STARTS_WITHIN, event="child", role="watchdog")
        self.watchdog = event["pid"] if event else None

    def disturb(self, chance):
        """Stops or continues it when that is due."""
        if self.watchdog is None or time.monotonic() < self.next_at:
            return
        self.stopped = not self.stopped
        self.stops += self.stopped
        self.signal(signal.SIGSTOP if self.stopped else signal.SIGCONT)
        self.next_at = time.monotonic() + chance.uniform(*(STOPPED if self.stopped
                                                           else LEFT_ALONE))

    def signal(self, number):
        try:
            os.kill(self.watchdog, number)
        except ProcessLookupError:
            self.watchdog = None

    def leave_alone(self):
        if self.watchdog is not None and self.stopped:
            self.signal(signal.SIGCONT)


def watched_runs(space, mounts, seconds):
    plan = space.new("plan") + ".toml"
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(PLAN)
    words = ["--duration", f"{seconds}s", "--stall-after", "1s"]
    tmpfs, ffs = mounts
    return [Watched("plan on tmpfs", [plan, "--target", tmpfs.path, *words], space),
            Watched("plan on FUSE", [plan, "--target", ffs.path, *words], space),
            Watched("usual loads on FUSE", ["--target", ffs.path, "--size", "64MiB", *words],
                    space)]


def keep(folder, name, ended):
    """A run that told something is worth a look; the workspace does not outlive the script."""
    if folder:
        shutil.copytree(ended.run_dir, os.path.join(folder, name.replace(" ", "-")),
                        dirs_exist_ok=True)


def soak(checks, runs, options):
    seconds, chance = options.seconds, random.Random(options.seed)
    for each in runs:
        each.find_watchdog()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(not each.started.wait(0) for each in runs):
        for each in runs:
            each.disturb(chance)
        time.sleep(0.02)
    for each in runs:
        each.leave_alone()
    for each in runs:
        ended = each.started.ended(ENDS_WITHIN)
        verdict = read_json(os.path.join(ended.run_dir, "verdict.json"))
        problems = told(each.name, verdict)
        checks.all(f"{each.name}: nothing is told in {seconds} s", problems)
        if problems:
            keep(options.keep, each.name, ended)
        checks.check(f"{each.name}: exit 0, or 3 for what the stopped watchdog did not see",
                     ended.code in (0, 3), ended.describe())
        checks.check(f"{each.name}: its watchdog was stopped", each.stops > 0, "never")
        observer = (verdict or {}).get("observer", {})
        checks.row(f"{each.name}: watchdog stopped, longest loop lag",
                   f"{each.stops} times, {observer.get('loop_lag_max_ms', 0):.0f} ms", "")


def make_noise(checks, space, options):
    def made(thing):
        checks.at_end(thing.remove)
        return thing

    mounts = [made(Tmpfs()), made(Ffs("store-size=2GiB"))]
    disk = made(LoopFs("ext4"))
    pressure = made(MemoryPressure(disk.path))
    # Reverse order: the runs are ended before what they run on.
    checks.at_end(lambda: [each.stop() for each in space.started])
    with Burners(OVERLOAD * (os.cpu_count() or 1)):
        soak(checks, watched_runs(space, mounts, options.seconds), options)
    full = pressure.times_at_limit()
    checks.check("the process short of memory was short of it", int(full) > 0, f"{full} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", metavar="DIR", help="where to copy a run that told something")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    before = look()
    with Checks("noise", options.seconds + 300) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(lambda: checks.all("the machine is as before", clean_machine(before)))
        checks.at_end(space.remove)
        make_noise(checks, space, options)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
