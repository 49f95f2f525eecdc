#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of any one process of a run at a random moment: no recorded event is lost, the verdict is
right or unknown, the next start cleans up, and every run directory can be read."""

import argparse
import json
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from own_mounts import Tmpfs, scratch_left  # noqa: E402
from program import Started, Workspace, parse_object, read_json, read_text, run  # noqa: E402

CONTROLLER = "controller"
SOAK_SECONDS = 3
ENDS_WITHIN = 40


class Round:
    """One run, and which of its processes is killed when."""

    def __init__(self, number, moments, mount, space):
        self.soak = number % 2 == 0
        victims = ["watchdog", "client", "canary ffs", "canary worker"] if self.soak else [
            "watchdog", "ffs", "worker"]
        # Each in turn, so that a short series has them all.
        self.victim = (victims + [CONTROLLER])[number // 2 % (len(victims) + 1)]
        self.after = moments.uniform(0.0, SOAK_SECONDS if self.soak else 4.0)
        self.words = (["run", "--target", mount.path, "--size", "64m", "--canary", "yes",
                       "--duration", f"{SOAK_SECONDS}s"] if self.soak else
                      ["repro", "mmap-lock-fault", "--param", "warmup=1s"])
        self.started = Started(self.words, space)
        self.sent = False
        self.recorded = ""

    def name(self):
        return f"{self.words[0]}, SIGKILL of {self.victim} {self.after:.2f} s after its start"

    def kill(self):
        """Waits for the victim's start and some time more; remembers what was recorded by then."""
        pid = self.started.process.pid
        if self.victim == CONTROLLER:
            self.started.wait_event(30, event="child")
        else:
            child = self.started.wait_event(30, event="child", role=self.victim)
            pid = child["pid"] if child else 0
        time.sleep(self.after)
        self.recorded = self.events_text()
        if pid and self.started.process.poll() is None and is_of(pid, self.started.session):
            os.kill(pid, signal.SIGKILL)
            self.sent = True

    def events_text(self):
        return read_text(os.path.join(self.started.run_dir, "events.jsonl"))


def is_of(pid, session):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[3]) == session and fields[0] != "Z"
    except (OSError, ValueError, IndexError):
        return False


def unreadable(run_dir):
    """What cannot be read of a run directory. Half-written files that have their name yet to come,
    and the last line of a record that was being written, are no harm."""
    found = []
    for folder, _, names in os.walk(run_dir):
        for name in names:
            path = os.path.join(folder, name)
            if ".tmp" in name or not name.endswith((".json", ".jsonl")):
                continue
            text = read_text(path)
            lines = text.split("\n")[:-1] if name.endswith(".jsonl") else [text]
            for line in lines:
                try:
                    json.loads(line)
                except ValueError:
                    found.append(f"{path}: {line[:80]!r}")
    return found


def wrong_verdict(each, result):
    """Why the verdict is neither right nor unknown; None when it is."""
    doc = read_json(os.path.join(result.run_dir, "verdict.json"))
    if each.victim == CONTROLLER and each.sent:
        known = doc is None or doc.get("verdict") in ("pass", "fail", "unknown")
        return None if known else str(doc)
    if doc is None:
        # One that ended before it had anything to judge says so.
        return None if result.code in (2, 3) and result.err.strip() else "no verdict.json"
    codes = {"pass": 0, "fail": 1, "unknown": 3}
    if result.code != codes.get(doc.get("verdict")):
        return f"{doc.get('verdict')} with exit {result.code}"
    if each.soak and doc["verdict"] == "fail":
        return f"a healthy load failed: {doc['reasons']}"
    if each.soak and doc["verdict"] == "pass" and each.sent:
        return None if may_pass(each, doc) else f"passed without its {each.victim}"
    if not each.soak and doc["verdict"] == "pass":
        classes = [stall["class"] for stall in doc["stalls"]]
        return None if "mmap_lock_cycle" in classes else f"passed with {classes}"
    return None


def may_pass(each, doc):
    """Of a process of the load or the watchdog: all was over by then. A stall made on purpose
    is made once more where it did not come about."""
    if each.victim.startswith("canary"):
        return (doc["observer"]["canary"] or {}).get("passed") is True
    return any(event.get("event") == "load_ended"
               for event in map(parse_object, each.recorded.splitlines()) if event)


def judge(checks, each, result, before, mount, space):
    name = each.name()
    checks.check(f"{name}: ends in time", not result.hung and result.seconds < ENDS_WITHIN,
                 result.describe())
    checks.check(f"{name}: no recorded event is lost",
                 each.events_text().startswith(each.recorded.rpartition("\n")[0]),
                 "events.jsonl does not begin with what was there")
    wrong = wrong_verdict(each, result)
    checks.check(f"{name}: the verdict is right or unknown", wrong is None, str(wrong))
    following = run(["run", "--target", mount.path, "--size", "64m", "--canary", "no",
                     "--duration", "1s"], space)
    checks.check(f"{name}: the next start passes", following.code == 0, following.describe())
    checks.all(f"{name}: and cleans up", scratch_left(mount.path) +
               clean_machine(before, result, each.started.session))
    checks.all(f"{name}: its directory can be read", unreadable(result.run_dir))
    if os.path.isdir(result.run_dir):
        shown = run(["show", result.run_dir], space, no_out=True, seconds=20)
        checks.check(f"{name}: and be shown", shown.code in (0, 3), shown.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    print(f"kill_any: --seed {seed}")
    with Checks("kill_any", 60 + 40 * options.rounds) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        mount = Tmpfs()
        checks.at_end(mount.remove)
        sent = 0
        for number in range(options.first, options.first + options.rounds):
            moments = random.Random(seed * 1000 + number)
            before = look()
            each = Round(number, moments, mount, space)
            each.kill()
            sent += each.sent
            judge(checks, each, each.started.ended(ENDS_WITHIN), before, mount, space)
        checks.check("processes were killed", sent > 0, "none")
        checks.row("processes killed", sent, f"of {options.rounds} rounds")
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
