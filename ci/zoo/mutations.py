#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mutation list: for each detector of `stallproof list detectors` a stall and what a user sees
of it that is true with the detector and false without it (--without), so that no detector can be
lost and nobody hears of it."""

import argparse
import os
import random
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

from checks import Checks, stop_if_lacking  # noqa: E402
from disturbances import failed_writes, kernel_detector, no_cpu_left, stopped_together  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from mutation_list import MUTATIONS, unlisted  # noqa: E402
from program import Started, Workspace  # noqa: E402

RUN_SECONDS = 40
DISTURBANCES = {"": lambda started: None, "failed writes": failed_writes,
                "no CPU left": no_cpu_left, "stopped together": stopped_together}


def run_once(mutation, without, space):
    """(verdict or None, documents of its first incident, sentences about the run itself)."""
    before = look()
    words = ["repro", *mutation.words, "--json"]
    words += [] if "--stall-after" in words else ["--stall-after", "1s"]
    words += ["--without", mutation.detector] if without else []
    started = Started(words, space)
    DISTURBANCES[mutation.disturbance](started)
    ended = started.ended(RUN_SECONDS)
    problems = clean_machine(before, ended, started.session)
    if ended.doc is None:
        return None, {}, [*problems, ended.describe()]
    stalls = ended.doc.get("stalls", [])
    first = ended.incident(stalls[0]["id"]) if stalls else {}
    if without:
        problems += tells_of_it(ended.doc, mutation.detector)
    return ended.doc, first, problems


def tells_of_it(verdict, detector):
    """A run with a detector switched off says so, and is never green because it saw nothing."""
    wanted = f"switched off by --without: {detector}"
    spots = verdict.get("observer", {}).get("blind_spots", [])
    problems = [] if wanted in spots else [f"blind_spots do not say '{wanted}'"]
    if not verdict.get("stalls") and verdict.get("exit_code") == 0:
        problems.append("exit 0 although nothing was looked for")
    return problems


def try_mutation(checks, mutation, space, whole):
    """`whole`: what was seen with all detectors, by what was run; one run is enough for all."""
    name = f"{mutation.detector} ({mutation.words[0]})"
    ran = (*mutation.words, mutation.disturbance)
    if ran not in whole:
        whole[ran] = run_once(mutation, False, space)
    verdict, first, problems = whole[ran]
    checks.check(f"{name}: {mutation.claim}",
                 verdict is not None and mutation.seen(verdict, first) and not problems,
                 "; ".join(problems) or "not seen")
    verdict, first, problems = run_once(mutation, True, space)
    checks.check(f"{name}: not without it",
                 verdict is not None and not mutation.seen(verdict, first) and not problems,
                 "; ".join(problems) or "seen all the same")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chosen = [each for each in MUTATIONS
              if not options.detector or each.detector in options.detector]
    random.Random(options.seed).shuffle(chosen)
    print(f"seed {options.seed}", flush=True)
    with Checks("mutations", 60 + 2 * RUN_SECONDS * len(chosen)) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        checks.all("every detector has a mutation", unlisted())
        whole = {}
        with kernel_detector(seconds=1):
            for mutation in chosen:
                try_mutation(checks, mutation, space, whole)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
