#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the reported stall comes when the writers are threads that are born and end, as a JVM's,
by births a second: from the moment the service begins to misbehave to the last completed I/O."""

import argparse
import sys

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace  # noqa: E402

RATES = (1, 10, 100, 1000)
# A birth each second meets the hazard within some seconds.
DEADLINE_S = 60


def one_run(rate, seed, space):
    """(problems, milliseconds or None)"""
    before = look()
    started = Started(["repro", "mmap-lock-fault", "--json", "--deadline", f"{DEADLINE_S}s",
                       "--param", "writer=thread-churn", "--param", "mprotect-threads=1",
                       "--param", f"birth-rate={rate}", "--param", f"seed={seed}"], space)
    ended = started.ended(DEADLINE_S + 30)
    problems = clean_machine(before, ended, started.session)
    if ended.hung or ended.doc is None:
        return problems + [ended.describe()], None
    if ended.code != 0:
        problems.append(f"exit {ended.code}: {'; '.join(ended.doc.get('reasons', []))[:160]}")
    return problems, judge.span(ended.doc, "armed_ms", "last_op_ms")


def measure(checks, rate, runs, space):
    results = [one_run(rate, seed, space) for seed in range(1, runs + 1)]
    bad = [f"seed {seed}: {problem}" for seed, (problems, _) in enumerate(results, 1)
           for problem in problems]
    checks.all(f"{rate} births a second: reproduced, explained and left as found ({runs} runs)",
               bad)
    known = [value for _, value in results if value is not None]
    if known:
        checks.row(f"{rate} births a second: armed to last op, median / max of {len(known)}",
                   f"{judge.median(known):.1f} / {max(known):.1f} ms", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rate", type=int, action="append")
    options = parser.parse_args()
    rates = options.rate or RATES
    with Checks("churn", 60 + len(rates) * options.runs * (DEADLINE_S + 40)) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for rate in rates:
            measure(checks, rate, options.runs, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
