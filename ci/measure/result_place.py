#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The place of the results: held by one run at a time, and when its disk becomes full in mid-run
the load goes on, what is written stays whole, and the verdict is unknown and says why."""

import json
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import Tmpfs, quiet  # noqa: E402
from program import Started, Workspace, read_json, read_text  # noqa: E402


class SmallDisk:
    def __init__(self, size="4m"):
        self.path = tempfile.mkdtemp(prefix="stallproof-small-", dir="/run")
        quiet("mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path, check=True)

    def fill(self):
        with open(self.path + "/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 65536):
                    pass
            except OSError:
                pass
            try:
                while filler.write(b"\0"):
                    pass
            except OSError:
                pass

    def remove(self):
        quiet("umount", "-l", self.path)
        os.rmdir(self.path)


def verdict(run_dir):
    return read_json(os.path.join(run_dir, "verdict.json")) or {}


def start(mount, space, seconds, **options):
    started = Started(["run", "--target", mount.path, "--size", "64m", "--canary", "no",
                       "--duration", f"{seconds}s"], space, **options)
    started.wait_event(60, event="load_started")
    return started


def broken_files(run_dir):
    """JSON of the run directory that cannot be read."""
    found = []
    for folder, _, names in os.walk(run_dir):
        for name in names:
            path = os.path.join(folder, name)
            text = read_text(path)
            lines = text.splitlines() if name.endswith(".jsonl") else [text]
            if not name.endswith((".json", ".jsonl")):
                continue
            for line in lines:
                try:
                    json.loads(line)
                except ValueError:
                    found.append(f"{path}: {line[:60]!r}")
    return found


def two_controllers(checks, space, mount):
    first = start(mount, space, 4)
    second = Started(["run", "--target", mount.path, "--size", "64m", "--duration", "1s"], space,
                     run_dir=first.run_dir).ended(20)
    checks.check("a second run in the same directory is refused in one line",
                 second.code == 2 and "another run writes there now" in second.err and
                 len(second.err.strip().splitlines()) == 1, second.describe())
    result = first.ended(60)
    checks.check("and the first one passes", result.code == 0, result.describe())
    starts = [each for each in result.events() if each.get("event") == "load_started"]
    checks.check("with events of its own only", len(starts) == 1, str(starts))


def full_disk(checks, space, mount):
    disk = SmallDisk()
    try:
        started = start(mount, space, 6, run_dir=disk.path + "/run")
        plan = read_text(started.run_dir + "/plan.toml")
        time.sleep(1)
        events = read_text(started.run_dir + "/events.jsonl")
        disk.fill()
        result = started.ended(60)
        doc = verdict(started.run_dir)
        checks.check("a disk that is full in mid-run makes the verdict unknown, not the run end",
                     result.code == 3 and doc.get("verdict") == "unknown" and
                     doc.get("duration_s", 0) >= 6, f"{result.describe()} {doc.get('reasons')}")
        checks.check("with the reason", any("No space left" in reason
                                            for reason in doc.get("reasons", [])),
                     str(doc.get("reasons")))
        slow = {name: load["per_second_min"] for name, load in doc.get("workloads", {}).items()}
        checks.check("the load goes on in every second", slow and all(slow.values()), str(slow))
        checks.check("the watchdog too", doc.get("observer", {}).get("gaps") == 0 and
                     doc["observer"]["scans"] > 3, str(doc.get("observer")))
        checks.check("what was written stays",
                     read_text(started.run_dir + "/plan.toml") == plan and
                     read_text(started.run_dir + "/events.jsonl").startswith(events), "changed")
        checks.all("and can be read", broken_files(started.run_dir))
    finally:
        disk.remove()


def no_room_at_all(checks, space, mount):
    disk = SmallDisk()
    try:
        disk.fill()
        result = Started(["run", "--target", mount.path, "--size", "64m", "--duration", "1s"],
                         space, run_dir=disk.path + "/run").ended(20)
        checks.check("a full disk at the start is an error of the user, in one line",
                     result.code == 2 and len(result.err.strip().splitlines()) == 1,
                     result.describe())
    finally:
        disk.remove()


def main():
    with Checks("result_place", 180) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        mount = Tmpfs()
        checks.at_end(mount.remove)
        two_controllers(checks, space, mount)
        full_disk(checks, space, mount)
        no_room_at_all(checks, space, mount)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
