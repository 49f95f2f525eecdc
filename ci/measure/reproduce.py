#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stall on demand: N of N runs reproduce it, explain it truly, in time, and leave nothing."""

import argparse
import sys

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace  # noqa: E402

STALL_AFTER_MS = 1000
RUN_SECONDS = 60


def one_run(variant, space):
    """(problems by check, measured values) of one run."""
    before = look()
    started = Started(["repro", "mmap-lock-fault", "--variant", variant, "--json",
                       "--stall-after", f"{STALL_AFTER_MS}ms"], space)
    ended = started.ended(RUN_SECONDS)
    problems = {"clean": clean_machine(before, ended, started.session)}
    verdict = ended.doc
    if ended.hung or verdict is None:
        problems["reproduced"] = [ended.describe() + " (no verdict)"]
        return problems, {}
    problems["reproduced"] = judge.reproduced(verdict, ended.code)
    problems["dropouts"] = judge.dropouts_per_load(verdict)
    problems["in time"] = judge.timings(verdict, STALL_AFTER_MS)
    problems["truth"] = judge_truth(verdict, ended)
    return problems, {
        "armed to last op": judge.span(verdict, "armed_ms", "last_op_ms"),
        "detected": judge.detection_delay(verdict, STALL_AFTER_MS),
        "explained": judge.span(verdict, "detected_ms", "explained_ms"),
        "healed": judge.span(verdict, "heal_asked_ms", "healed_ms")}


def judge_truth(verdict, ended):
    stalls = judge.failing_stalls(verdict)
    if not stalls:
        return ["no failing stall to explain"]
    found = ended.incident(stalls[0].get("id"))
    absent = [name for name in ("explanation.json", "truth.json") if name not in found]
    if absent:
        return [f"{name} is missing or broken" for name in absent]
    service = {event["pid"] for event in ended.events()
               if event.get("event") == "child" and event.get("role") == "ffs"}
    return judge.explanation_is_true(found["explanation.json"], found["truth.json"], service)


CLAIMS = {
    "reproduced": "reproduced: exit 0, one failing stall, mmap_lock_cycle",
    "dropouts": "a dropout of every load is recorded",
    "in time": f"detected within {judge.DETECTED_MS} ms of the earliest moment, explained "
               f"{judge.EXPLAINED_MS} ms later, healed within 1 s",
    "truth": "holder, first writer and readers are those of the service's own table",
    "clean": "the machine is as before"}


def report(checks, variant, results):
    runs = len(results)
    for key, claim in CLAIMS.items():
        bad = [f"run {number}: {text}" for number, (problems, _) in enumerate(results, 1)
               for text in problems.get(key, ["not judged"])]
        broken = sum(bool(problems.get(key, ["not judged"])) for problems, _ in results)
        checks.check(f"{variant}: {claim} ({runs - broken} of {runs})", not broken,
                     "; ".join(bad[:3]))
    limits = {"armed to last op": judge.ARMED_TO_LAST_OP_MS, "detected": judge.DETECTED_MEDIAN_MS}
    for what in ("armed to last op", "detected", "explained", "healed"):
        values = [measured.get(what) for _, measured in results]
        if what in limits:
            checks.all(f"{variant}: median {what} ms, at most {limits[what]}",
                       judge.median_within(what, values, limits[what]))
        known = [value for value in values if value is not None]
        if known:
            checks.row(f"{variant}: {what}, median / max of {len(known)}",
                       f"{judge.median(known):.1f} / {max(known):.1f} ms",
                       f"median {limits[what]} ms" if what in limits else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=judge.VARIANTS, action="append")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    variants = options.variant or judge.VARIANTS
    with Checks("reproduce", 60 + len(variants) * options.runs * (RUN_SECONDS + 20)) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for variant in variants:
            report(checks, variant, [one_run(variant, space) for _ in range(options.runs)])
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
