#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`repro --from`: every stall of the zoo, handed back as an incident, is matched to its scenario
and made again; the crash core's text and the incident alone, without the run around it, too. What
cannot be matched is said, and nothing is run."""

import argparse
import json
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "zoo")]

from cases import cases, listed, one_of_each  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace  # noqa: E402

RUN_SECONDS = 60
GOAL = 0.95
CORE = [os.path.join(TOP, "examples/seed-crash", name) for name in
        ("foreach-bt.txt", "rwsem-waiters.txt", "bt-holder.txt", "bt-writer.txt")]
REPORTED = "mmap_lock_cycle:fault_read>mprotect_write>service_read"
SHORT = ("fs-frozen",)


def from_files(space, files, *words, seconds=RUN_SECONDS):
    started = Started(["repro", "--json", "--smallest-within", "0s", *words, "--from", *files],
                      space)
    return started.ended(seconds)


class Shares:
    """How many of how many."""

    def __init__(self):
        self.tried = self.matched = self.made = 0

    def add(self, matched, made):
        self.tried += 1
        self.matched += matched
        self.made += matched and made

    def text(self):
        return f"scenario {self.matched} of {self.tried}, made again {self.made} of {self.matched}"

    def reach(self):
        return self.matched >= GOAL * self.tried and self.made >= GOAL * self.matched


def judge_return(ended, case):
    """(right scenario, made again) of one that was handed back."""
    doc = ended.doc or {}
    matched = (doc.get("match") or {}).get("scenario") == case.scenario
    return matched, bool(doc.get("reproduced")) and ended.code == 0


def hand_back(space, case, shares, bare):
    """Makes the case's stall once and hands it back twice; returns what went wrong."""
    made = Started([*case.words(), "--json"], space).ended(RUN_SECONDS)
    incident = os.path.join(made.run_dir or "", "incidents", "001")
    if not os.path.exists(os.path.join(incident, "explanation.json")):
        return [f"{case}: made no incident: {made.describe()}"]
    back = from_files(space, [incident])
    shares.add(*judge_return(back, case))
    alone = space.new("incident")
    shutil.copytree(incident, alone)
    again = from_files(space, [alone])
    bare.add(*judge_return(again, case))
    told = [f"{case}: {how}: {ended.describe()} {json.dumps((ended.doc or {}).get('match'))}"
            for how, ended in (("in its run", back), ("alone", again))
            if judge_return(ended, case) != (True, True)]
    for line in told:
        print(line, flush=True)
    return []


def zoo(checks, space, short):
    chosen = [case for case in one_of_each(cases(listed())) if not case.quiet]
    if short:
        chosen = [case for case in chosen if case.scenario in SHORT]
    shares, bare, problems, left = Shares(), Shares(), [], []
    for case in chosen:
        before = look()
        problems += hand_back(space, case, shares, bare)
        left += [f"{case}: {what}" for what in clean_machine(before, None, None)]
    checks.all("every stall of the zoo becomes an incident", problems)
    checks.check("incidents are matched and made again", shares.tried and shares.reach(),
                 shares.text())
    checks.check("incidents without the run around them, too", bare.tried and bare.reach(),
                 bare.text())
    checks.row("repro --from an incident in its run", shares.text(), "95 %, 95 %")
    checks.row("repro --from an incident alone", bare.text(), "95 %, 95 %")
    checks.all("the machine is as before", left)


def core(checks, space):
    ended = from_files(space, CORE)
    doc = ended.doc or {}
    checks.check("the crash core's text is matched to mmap-lock-fault and made again",
                 ended.code == 0 and (doc.get("match") or {}).get("scenario") == "mmap-lock-fault"
                 and (doc.get("reported") or {}).get("signature") == REPORTED, ended.describe())
    comparison = doc.get("comparison") or {}
    checks.check("node by node it is the same circle", comparison.get("same_nodes")
                 and len(comparison.get("nodes", [])) >= 4, json.dumps(comparison)[:300])


def smallest(checks, space, within):
    started = Started(["repro", "--json", "--smallest-within", within, "--stall-after", "500ms",
                       "--from", *CORE], space)
    ended = started.ended(120)
    found = (ended.doc or {}).get("smallest") or {}
    threads, begin = found.get("threads") or {}, found.get("from") or {}
    checks.check("fewer threads still make it", ended.code == 0 and found.get("trials", 0) > 0
                 and 0 < sum(threads.values()) < sum(begin.values()),
                 f"{ended.describe()} {found}")
    checks.row("fewest threads that still stall", json.dumps(threads), "")


def interrupted(checks, space):
    started = Started(["repro", "--json", "--smallest-within", "60s", "--stall-after", "500ms",
                       "--from", *CORE], space)
    deadline = time.monotonic() + 60
    while (time.monotonic() < deadline and
           not os.path.exists(os.path.join(started.run_dir, "trial-001"))):
        time.sleep(0.1)
    started.signal(signal.SIGINT)
    ended = started.ended(60)
    doc = ended.doc or {}
    checks.check("Ctrl-C in the search for the fewest threads: exit 3, and what was found",
                 ended.code == 3 and doc.get("interrupted") is True and doc.get("reproduced")
                 and not (doc.get("smallest") or {}).get("complete"), ended.describe())


def refusals(checks, space):
    empty = space.new("empty")
    open(empty, "w", encoding="utf-8").close()
    quiet = space.new("quiet.json")
    with open(quiet, "w", encoding="utf-8") as stream:
        json.dump({"class": "gremlins", "signature": "gremlins:all", "nodes": [], "edges": []},
                  stream)
    for what, files, code in (("a file that is missing", ["/no/such/file"], 2),
                              ("an empty file", [empty], 3),
                              ("a class that no scenario makes", [quiet], 3),
                              ("a directory without an incident", [space.path], 2)):
        ended = from_files(space, files)
        checks.check(f"{what}: exit {code}, one line, nothing run",
                     ended.code == code and len(ended.err.strip().splitlines()) == 1
                     and not ended.out.strip(), f"{ended.describe()} {ended.err[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one scenario instead of all")
    options = parser.parse_args()
    with Checks("repro_from", 240 if options.short else 1500) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        refusals(checks, space)
        core(checks, space)
        smallest(checks, space, "8s" if options.short else "60s")
        interrupted(checks, space)
        zoo(checks, space, options.short)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
