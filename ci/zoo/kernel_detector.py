#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The zoo beside the kernel's own hung-task detector at its quickest (timeout and interval 1 s, no
limit of warnings): which stalls each sees, and how long after onset, while each stands 6 s."""

import argparse
import datetime
import os
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import matrix  # noqa: E402
from cases import cases, listed, one_of_each  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from disturbances import kernel_detector  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace, read_text  # noqa: E402

COUNT = "/proc/sys/kernel/hung_task_detect_count"
STANDS = "6s"
RUN_SECONDS = 40
STALL_AFTER_MS = 1000
LOOK_EVERY = 0.02
HEAD = ["scenario", "class", "seen here after", "seen by the kernel after", "its reports"]


class KernelCount:
    """Follows the kernel's count of its reports in a thread of its own."""

    def __init__(self):
        self.before, self.rises, self.over = self.now(), [], threading.Event()
        self.thread = threading.Thread(target=self.follow)
        self.thread.start()

    @staticmethod
    def now():
        return int(read_text(COUNT) or 0)

    def follow(self):
        last = self.before
        while not self.over.wait(LOOK_EVERY):
            count = self.now()
            if count > last:
                self.rises.append((time.time(), count - self.before))
                last = count

    def end(self):
        self.over.set()
        self.thread.join()


def seconds_of(stamp):
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def run_case(case, space):
    """(row of the table, sentences about what went wrong)."""
    before = look()
    count = KernelCount()
    started = Started([*case.words(), "--json", "--stall-after", f"{STALL_AFTER_MS}ms", "--hold",
                       "--deadline", STANDS], space)
    ended = started.ended(RUN_SECONDS)
    count.end()
    problems = clean_machine(before, ended, started.session)
    stalls = (ended.doc or {}).get("stalls", [])
    if not stalls:
        return [str(case), "–", "not at all", "–", "–"], [*problems, ended.describe()]
    onset = seconds_of(stalls[0]["onset"])
    ours = (stalls[0]["detected_ms"] - stalls[0]["onset_ms"]) / 1000
    theirs = [(at - onset, reports) for at, reports in count.rises if at > onset]
    seen = f"{theirs[0][0]:.1f} s" if theirs else "not at all"
    # It counts a task again each time it looks.
    reports = str(theirs[-1][1]) if theirs else "0"
    return [str(case), stalls[0].get("class", ""), f"{ours:.2f} s", seen, reports], problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; may be repeated")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th scenario from the K-th on")
    parser.add_argument("--markdown", help="file for the table; rows are added to it")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    chosen = [case for case in one_of_each(cases(listed())) if not case.quiet
              and (not options.scenario or case.scenario in options.scenario)][part - 1::parts]
    rows = []
    with Checks("kernel_detector", 60 + 30 * len(chosen)) as checks:
        stop_if_lacking(checks)
        if not os.path.exists(COUNT):
            checks.skip("everything", "this kernel does not count hung tasks")
            return checks.code
        space = Workspace()
        checks.at_end(space.remove)
        if options.markdown:
            checks.at_end(lambda: add_to(options.markdown, rows))
        with kernel_detector(seconds=1):
            for case in chosen:
                row, problems = run_case(case, space)
                rows.append(row)
                print("  ".join(row), flush=True)
                checks.all(f"{case}: is seen, and ends well", problems)
        blind = sum(row[3] == "not at all" for row in rows)
        checks.row("stalls that the kernel's own detector does not see", f"{blind} of {len(rows)}",
                   "")
    return checks.code


def add_to(path, rows):
    table = matrix.as_markdown([HEAD, *rows]).splitlines()
    begun = os.path.exists(path)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write("\n".join(table[2:] if begun else table) + "\n")


if __name__ == "__main__":
    sys.exit(main())
