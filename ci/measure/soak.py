#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A soak of examples/plans/soak-mixed.toml: controller and watchdog hold no more memory after hours
than after minutes, the run directory grows by no more than 20 MB an hour, its series have a row for
each load and second, judging them again gives the run's own verdict, and a run that is killed
leaves what it had seen."""

import argparse
import csv
import os
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import LoopFs  # noqa: E402
from program import TOP, Started, Workspace, read_json, read_text, run  # noqa: E402

PLAN = os.path.join(TOP, "examples/plans/soak-mixed.toml")
WARM_S = 300
GROWTH_KIB = 1024
# The rings of the last minute are read into the controller's view while they fill, and that takes
# the first minute: a short soak ends before.
SHORT_WARM_S = 15
SHORT_KIB_PER_S = 20
BYTES_PER_HOUR = 20e6
CONTROLLER_CPU = 0.02


class Memory:
    """VmRSS of one process over time."""

    def __init__(self, name, pid):
        self.name, self.pid, self.samples = name, pid, []

    def sample(self, at):
        for line in read_text(f"/proc/{self.pid}/status").splitlines():
            if line.startswith("VmRSS:"):
                self.samples.append((at, int(line.split()[1])))

    def between(self, begin, end):
        return [kib for at, kib in self.samples if begin <= at <= end]

    def growth(self, warm):
        """KiB from the first tenth after the warm-up to the last sample's tenth, by their medians:
        single samples go up and down with what is being copied."""
        if not self.samples:
            return None
        end = self.samples[-1][0]
        part = max(2.0, (end - warm) / 10)
        first, last = self.between(warm, warm + part), self.between(end - part, end)
        if not first or not last:
            return None
        return sorted(last)[len(last) // 2] - sorted(first)[len(first) // 2]


def cpu_seconds(pid):
    words = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else 0.0


def bytes_below(folder):
    return sum(os.path.getsize(os.path.join(place, name))
               for place, _, names in os.walk(folder) for name in names)


class Soak:
    """One run of the plan, watched from outside once a second."""

    def __init__(self, space, mount, seconds):
        self.seconds = seconds
        self.warm = WARM_S if seconds > 2 * WARM_S else min(SHORT_WARM_S, seconds / 2)
        self.started = Started(["run", PLAN, "--target", mount.path, "--duration", f"{seconds}s",
                                "--quiet"], space)
        self.memories, self.sizes = [], []
        self.cpu = 0.0

    def watch(self):
        if not self.started.wait_event(60, event="load_started"):
            return False
        watchdog = self.started.wait_event(5, event="child", role="watchdog")
        self.memories = [Memory("controller", self.started.process.pid),
                         Memory("watchdog", watchdog["pid"])]
        begin, cpu = time.monotonic(), cpu_seconds(self.started.process.pid)
        # The last second belongs to the end of the run, which loads what it needs for its verdict.
        while time.monotonic() < begin + self.seconds - 1:
            at = time.monotonic() - begin
            for memory in self.memories:
                memory.sample(at)
            self.sizes.append((at, bytes_below(self.started.run_dir)))
            self.cpu = (cpu_seconds(self.started.process.pid) - cpu) / max(at, 1)
            if self.started.wait(1):
                return False
        return True

    def bytes_per_hour(self):
        warm = [each for each in self.sizes if each[0] >= self.warm]
        (first, before), (last, after) = warm[0], warm[-1]
        return (after - before) / max(last - first, 1) * 3600


def judge_memory(checks, soak):
    short = soak.warm < WARM_S
    for memory in soak.memories:
        grown = memory.growth(soak.warm)
        limit = SHORT_KIB_PER_S * (soak.seconds - soak.warm) if short else GROWTH_KIB
        checks.row(f"resident memory of the {memory.name}, growth after {soak.warm:.0f} s of "
                   f"{soak.seconds} s", f"{grown} KiB", f"<= {limit:.0f} KiB")
        checks.check(f"the {memory.name} holds no more memory than after {soak.warm:.0f} s",
                     grown is not None and grown <= limit, f"{grown} KiB, limit {limit:.0f}")


def judge_files(checks, soak):
    hour = soak.bytes_per_hour()
    checks.row("run data in an hour", f"{hour / 1e6:.1f} MB", f"<= {BYTES_PER_HOUR / 1e6:.0f} MB")
    checks.check("a run of hours fills no disk", hour <= BYTES_PER_HOUR, f"{hour / 1e6:.1f} MB/h")
    checks.row("controller, share of one processor", f"{soak.cpu:.4f}", f"<= {CONTROLLER_CPU}")
    checks.check("the controller keeps series at little cost", soak.cpu <= CONTROLLER_CPU,
                 f"{soak.cpu:.4f}")


def rows_by_load(run_dir):
    with open(os.path.join(run_dir, "series/loads.csv"), encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {}
    for row in rows:
        found.setdefault(row["load"], []).append(float(row["t_ms"]))
    return found


def judge_series(checks, soak, ended, space):
    loads = rows_by_load(ended.run_dir)
    few = [f"{name}: {len(times)}" for name, times in loads.items()
           if len(times) < 0.95 * soak.seconds]
    checks.check("every load has a row for every second", len(loads) == 5 and not few,
                 f"{len(loads)} loads, {few}")
    doc = read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    total = {name: load["ops"] for name, load in doc.get("workloads", {}).items()}
    with open(os.path.join(ended.run_dir, "series/loads.csv"), encoding="utf-8") as stream:
        counted = {}
        for row in csv.DictReader(stream):
            counted[row["load"]] = counted.get(row["load"], 0) + int(row["ops"])
    # Rows are whole seconds: what was done before the first and after the last has none.
    most = 2 / soak.seconds
    wrong = [f"{name}: {counted.get(name)} of {ops}" for name, ops in total.items()
             if not (1 - most) * ops <= counted.get(name, 0) <= ops]
    checks.check("the rows add up to the verdict's operations", total and not wrong, f"{wrong}")
    again = run(["judge", ended.run_dir, "--json"], space, no_out=True)
    judged = again.doc["runs"][0]["after"]["verdict"] if again.doc else None
    checks.check("judged again by its own thresholds the run has its own verdict",
                 judged == doc.get("verdict"), f"{doc.get('verdict')}, again {judged}")


def killed(checks, space, mount):
    started = Started(["run", PLAN, "--target", mount.path, "--quiet"], space)
    ok = started.wait_event(60, event="load_started")
    time.sleep(8)
    began, now = (ok or {}).get("t_ms", 0) / 1e3, 8
    started.signal(9)
    started.wait(5)
    text = read_text(os.path.join(started.run_dir, "series/loads.csv"))
    lines = text.splitlines()[1:]
    columns = {line.count(",") for line in (lines if text.endswith("\n") else lines[:-1])}
    last = float(lines[-1].split(",")[0]) / 1e3 if lines else 0
    checks.check("a killed run leaves whole rows until two seconds before its end",
                 columns == {9} and last >= began + now - 2,
                 f"rows until {last:.1f} s, killed at {began + now:.1f} s, {columns}")
    again = run(["judge", started.run_dir], space, no_out=True)
    checks.check("a killed run is judged unknown", again.code == 3, again.describe())
    # Undoes what the killed one has left.
    undone = run(["run", "--target", mount.path, "--size", "64m", "--duration", "1s", "--quiet"],
                 space)
    checks.check("the next run starts on what a killed one left", undone.code in (0, 3),
                 undone.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=40)
    options = parser.parse_args()
    with Checks("soak", options.seconds + 200) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        mount = LoopFs("ext4")
        checks.at_end(mount.remove)
        checks.at_end(space.remove)
        soak = Soak(space, mount, options.seconds)
        lived = soak.watch()
        ended = soak.started.ended(90)
        if checks.check("the soak runs until its end", lived, ended.describe()):
            judge_memory(checks, soak)
            judge_files(checks, soak)
            judge_series(checks, soak, ended, space)
        killed(checks, space, mount)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
