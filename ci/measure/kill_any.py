#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of any one process of a run at a random moment: no recorded event is lost, the verdict is
right or unknown (postmortem's, where the controller was killed), the next start cleans up, and
every run directory can be read."""

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
from program import (Started, Workspace, parse_object, read_events, read_json,  # noqa: E402
                     read_text, run)

CONTROLLER = "controller"
SOAK_SECONDS = 3
REPRO_WAITS_MS = 10_000
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

    def verdict(self):
        return read_json(os.path.join(self.started.run_dir, "verdict.json"))

    def lost_controller(self):
        """It was killed, maybe after it had written its verdict."""
        return self.victim == CONTROLLER and self.sent

    def had_recorded(self, name):
        """By the moment of the kill."""
        return any(event and event.get("event") == name
                   for event in map(parse_object, self.recorded.splitlines()))


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
    doc = each.verdict()
    if doc is None:
        # One that ended before it had anything to judge says so.
        return None if result.code in (2, 3) and result.err.strip() else "no verdict.json"
    codes = {"pass": 0, "fail": 1, "unknown": 3}
    # A controller that was killed after its verdict is there without its exit code.
    if result.code != codes.get(doc.get("verdict")) and not each.lost_controller():
        return f"{doc.get('verdict')} with exit {result.code}"
    if each.soak and doc["verdict"] == "fail":
        return f"a healthy load failed: {doc['reasons']}"
    if each.soak and doc["verdict"] == "pass" and each.sent:
        return None if may_pass(each, doc) else f"passed without its {each.victim}"
    if not each.soak and doc["verdict"] == "pass":
        classes = [stall["class"] for stall in doc["stalls"]]
        return None if "mmap_lock_cycle" in classes else f"passed with {classes}"
    return untrue_failure(each, doc) if doc["verdict"] == "fail" else None


def untrue_failure(each, doc):
    """Of a reproduction: that it waited its time and nothing stalled is all that it may fail for,
    and only with all of its processes."""
    stalls = [event for event in read_events(each.started.run_dir) if event.get("event") == "stall"]
    times = doc["timings"]
    problems = {
        "another reason than its stated one": not doc["reasons"][0].startswith("not reproduced: "),
        "and has a stall": bool(stalls or doc["stalls"]),
        "and never came to the hazard": not (doc["hazard"] or {}).get("entered"),
        "before its time": (times["heal_asked_ms"] or 0) - (times["armed_ms"] or 0) <
                           REPRO_WAITS_MS,
        f"without its {each.victim}": each.sent and not each.had_recorded("heal_asked"),
    }
    found = [words for words, holds in problems.items() if holds]
    return f"failed {', '.join(found)}: {doc['reasons']}" if found else None


def wrong_after_death(each, space):
    """The same of the verdict that postmortem gives a run whose controller was killed."""
    state = {**os.environ, "STALLPROOF_STATE_DIR": space.new("state")}
    told = run(["postmortem", "--run", each.started.run_dir], space, no_out=True, env=state)
    doc = each.verdict()
    if doc is None:
        return f"no verdict.json: {told.describe()}"
    verdict = doc.get("verdict")
    if told.code != {"fail": 1, "unknown": 3}.get(verdict):
        return f"{verdict} with {told.describe()}"
    failed = failed_stalls(read_events(each.started.run_dir), doc["thresholds"]["fail_after_ms"])
    failing = {stall["id"] for stall in doc["stalls"] if stall["failing"]}
    if failing - failed or (verdict == "fail") != bool(failing):
        return f"{verdict}, failing {sorted(failing)}, but {sorted(failed)} failed by the events"
    return None if doc["reasons"][0].startswith("controller_died") else str(doc["reasons"])


def failed_stalls(events, fail_after_ms):
    """Ids of those that lasted or were a circle twice, by what the run had written down."""
    last_ms = max((event.get("t_ms", 0) for event in events), default=0)
    ends = {event["incident"]: event["at_ms"] for event in events
            if event.get("event") == "stall_resolved"}
    circles = {event["incident"] for event in events if event.get("event") == "cycle_confirmed"}
    return circles | {event["incident"] for event in events if event.get("event") == "stall" and
                      ends.get(event["incident"], last_ms) - event["onset_ms"] >= fail_after_ms}


def told_twice(each):
    """Incidents that events or verdict have more than once."""
    told = [event.get("incident") for event in read_events(each.started.run_dir)
            if event.get("event") == "stall"]
    judged = [stall["id"] for stall in (each.verdict() or {}).get("stalls", [])]
    return [f"{stall} in {where}" for where, ids in (("events", told), ("the verdict", judged))
            for stall in sorted(set(ids)) if ids.count(stall) > 1]


def may_pass(each, doc):
    """Of a process of the load or the watchdog: all was over by then. A stall made on purpose
    is made once more where it did not come about."""
    if each.victim.startswith("canary"):
        return (doc["observer"]["canary"] or {}).get("passed") is True
    return each.had_recorded("load_ended")


def judge(checks, each, result, before, mount, space):
    name = each.name()
    checks.check(f"{name}: ends in time", not result.hung and result.seconds < ENDS_WITHIN,
                 result.describe())
    checks.check(f"{name}: no recorded event is lost",
                 each.events_text().startswith(each.recorded.rpartition("\n")[0]),
                 "events.jsonl does not begin with what was there")
    ended = each.verdict() is not None or not each.lost_controller()
    if ended:
        wrong = wrong_verdict(each, result)
        checks.check(f"{name}: the verdict is right or unknown", wrong is None, str(wrong))
    following = run(["run", "--target", mount.path, "--size", "64m", "--canary", "no",
                     "--duration", "1s"], space)
    checks.check(f"{name}: the next start passes", following.code == 0, following.describe())
    checks.all(f"{name}: and cleans up", scratch_left(mount.path) +
               clean_machine(before, result, each.started.session))
    if not ended:
        wrong = wrong_after_death(each, space)
        checks.check(f"{name}: postmortem's verdict is right or unknown", wrong is None, str(wrong))
    checks.all(f"{name}: no incident is there twice", told_twice(each))
    checks.all(f"{name}: its directory can be read", unreadable(result.run_dir))
    if os.path.isdir(result.run_dir):
        shown = run(["show", result.run_dir], space, no_out=True, seconds=20)
        checks.check(f"{name}: and be shown", shown.code in (0, 3), shown.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="that end with a killed process")
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
        sent, number = 0, options.first
        # Some runs end before their moment comes.
        while sent < options.rounds and number - options.first < 2 * options.rounds:
            moments = random.Random(seed * 1000 + number)
            before = look()
            each = Round(number, moments, mount, space)
            each.kill()
            sent, number = sent + each.sent, number + 1
            judge(checks, each, each.started.ended(ENDS_WITHIN), before, mount, space)
        checks.check(f"{options.rounds} processes were killed", sent == options.rounds,
                     f"{sent} in {number - options.first} runs")
        checks.row("processes killed", sent, options.rounds)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
