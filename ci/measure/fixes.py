#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The quiet twins: with each fix nothing stalls, although the hazard is entered in every second."""

import argparse
import sys

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace  # noqa: E402


def one_run(checks, space, cell, seconds, expect_quiet):
    variant, fix = cell
    words = ["repro", "mmap-lock-fault", "--variant", variant, "--fix", fix,
             "--deadline", f"{seconds}s", "--json"]
    words += ["--expect", "quiet"] if expect_quiet else []
    wanted = 0 if expect_quiet else 1
    name = f"{variant} with {fix}{', --expect quiet' if expect_quiet else ''}"
    before = look()
    started = Started(words, space)
    ended = started.ended(seconds + 40)
    if ended.hung or ended.doc is None:
        checks.check(f"{name}: exit {wanted}", False, ended.describe() + " (no verdict)")
        return None
    problems = judge.stayed_quiet(ended.doc, ended.code, wanted, fix)
    if ended.seconds < seconds:
        problems.append(f"over after {ended.seconds:.1f} s, {seconds} s were asked for")
    checks.all(f"{name}: exit {wanted}, no stall, hazard and all loads alive each second", problems)
    checks.all(f"{name}: the machine is as before",
               clean_machine(before, ended, started.session))
    return [judge.number(ended.doc, *path) for path in
            (("hazard", "per_second_min"), ("ffs", "page_reads_per_second_min"),
             ("ffs", "direct_reads_per_second_min"))]


def slowest(checks, cell, runs):
    """One row per cell: the slowest second of all its runs."""
    least = [min((rate for rate in column if rate is not None), default=None)
             for column in zip(*[rates for rates in runs if rates])]
    checks.row(f"{cell[0]} with {cell[1]}: hazards / page reads / direct reads, slowest second",
               " / ".join("?" if rate is None else f"{rate:.0f}" for rate in least), "over 0")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--fix", choices=judge.FIXES, help="only this one")
    options = parser.parse_args()
    cells = [(variant, fix) for variant in judge.VARIANTS for fix in judge.FIXES
             if options.fix in (None, fix)]
    deadline = 60 + (options.runs + 1) * len(cells) * (options.seconds + 60)
    with Checks("fixes", deadline) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for cell in cells:
            slowest(checks, cell, [one_run(checks, space, cell, options.seconds,
                                           expect_quiet=False) for _ in range(options.runs)])
        # Once per variant is enough: --expect only turns the meaning of the exit code.
        for variant in judge.VARIANTS:
            one_run(checks, space, (variant, "no-writer"), options.seconds, expect_quiet=True)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
