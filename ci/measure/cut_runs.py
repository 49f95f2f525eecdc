#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Results that were cut by a crash or written by an older version: every command that reads them
answers with an exit code of its own and a line of reason, and what was lost is never taken for
good."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from program import BINARY, Workspace, read_json, run  # noqa: E402

SECONDS = 30
# What the first version did not write into verdict.json, and files that it did not make.
LATER_KEYS = ("marks", "notes", "captures", "timings", "suspected", "stalls_not_listed",
              "dropouts_not_listed", "ffs")
LATER_OF_OBSERVER = ("gaps_ms", "suspended_ms", "events_dropped", "rss_kib")
LATER_FILES = ("manifest.json", "marks.jsonl", "report.html", "stallproof.prom", "env.json")


def commands(place, scratch):
    """Every command that reads a run directory and changes nothing of it."""
    incident = os.path.join(place, "incidents", "001")
    found = [["show", place], ["show", place, "--at", "+1s"], ["gate", place, "--no-canary"],
             ["judge", place, "--stall-after", "2s"],
             ["report", place, "-o", os.path.join(scratch, "report.html")],
             ["report", place, "-o", os.path.join(scratch, "report.md")],
             ["history", "rebuild", place], ["history", "show", place, "--json"]]
    if os.path.isdir(incident):
        found += [["explain", incident], ["show", place, "001"]]
    return found


def ask(words, state):
    return subprocess.run([BINARY, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=SECONDS, check=False,
                          env={**os.environ, "STALLPROOF_STATE_DIR": state})


def answers(place, space):
    """(words, what is wrong with the answer or "", exit code) of each command."""
    scratch = space.new("scratch")
    os.makedirs(scratch)
    for words in commands(place, scratch):
        ended = ask(words, os.path.join(scratch, "state"))
        wrong = ""
        if ended.returncode not in (0, 1, 2, 3):
            wrong = f"exit {ended.returncode}: {ended.stderr[-200:]}"
        elif ended.returncode == 2 and len(ended.stderr.strip().splitlines()) != 1:
            wrong = f"exit 2 and not one line: {ended.stderr[-200:]!r}"
        yield words, wrong, ended.returncode
    shutil.rmtree(scratch, ignore_errors=True)


def files_of(place):
    found = []
    for folder, _, names in os.walk(place):
        found += [os.path.relpath(os.path.join(folder, name), place) for name in names]
    return sorted(name for name in found if not os.path.islink(os.path.join(place, name)))


def cut(checks, space, place, chance, rounds):
    """Each round cuts one file anywhere, or loses it."""
    problems, green = [], []
    for number in range(rounds):
        copy = space.new("cut")
        shutil.copytree(place, copy)
        # What the gate reads is cut in every third round, however few there are.
        name = "verdict.json" if number % 3 == 0 else chance.choice(files_of(copy))
        path = os.path.join(copy, name)
        length = chance.randrange(os.path.getsize(path) + 1)
        if chance.random() < 0.2:
            os.remove(path)
            length = -1
        else:
            os.truncate(path, length)
        for words, wrong, code in answers(copy, space):
            if wrong:
                problems.append(f"{number}: {name} cut to {length}: {' '.join(words)}: {wrong}")
            whole = length == os.path.getsize(os.path.join(place, name))
            if words[0] == "gate" and name == "verdict.json" and code == 0 and not whole:
                green.append(f"verdict.json cut to {length}")
        shutil.rmtree(copy)
    checks.all(f"{os.path.basename(place)}: {rounds} cuts are met with an answer", problems)
    checks.all(f"{os.path.basename(place)}: no cut verdict passes the gate", green)


def older(checks, space, place):
    copy = space.new("older")
    shutil.copytree(place, copy)
    path = os.path.join(copy, "verdict.json")
    document = read_json(path)
    for key in LATER_KEYS:
        document.pop(key, None)
    for key in LATER_OF_OBSERVER:
        document["observer"].pop(key, None)
    for key in ("modules", "server"):
        document["target"].pop(key, None)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    for name in LATER_FILES:
        if os.path.exists(os.path.join(copy, name)):
            os.remove(os.path.join(copy, name))
    before = {tuple(words[:1]): code for words, _, code in answers(place, space)}
    told = list(answers(copy, space))
    checks.all("a run of an older version is read by every command",
               [f"{' '.join(words)}: {wrong or code}" for words, wrong, code in told
                if wrong or (words[0] == "gate" and code != before[("gate",)])])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=300, help="of each of the two runs")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with Checks("cut_runs", 1500) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        mount = Tmpfs()
        checks.at_end(mount.remove)
        good = run(["run", "--target", mount.path, "--size", "64m", "--duration", "3s"], space)
        stalled = run(["repro", "mmap-lock-fault"], space)
        if not checks.check("a run and a stall are made", good.code == 0 and stalled.code == 0,
                            f"{good.describe()} {stalled.describe()}"):
            return checks.code
        chance = random.Random(options.seed)
        older(checks, space, good.run_dir)
        whole = ask(["gate", good.run_dir, "--no-canary"], space.new("state"))
        checks.check("the whole run passes the gate, so a cut one could", whole.returncode == 0,
                     whole.stdout[:200] + whole.stderr[-200:])
        for place in (good.run_dir, stalled.run_dir):
            cut(checks, space, place, chance, options.cuts)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
