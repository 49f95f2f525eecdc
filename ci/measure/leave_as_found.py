#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The machine is left as found: after a normal run, SIGINT at any moment, SIGINT twice, and SIGKILL
followed by one new start."""

import argparse
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from processes import wait_until_stalled  # noqa: E402
from program import Started, Workspace, run  # noqa: E402

REPRO = ["repro", "mmap-lock-fault", "--json"]
# Long enough before it is reported that a signal surely arrives while the stall stands.
LONG_STALL = ["--stall-after", "8s", "--fail-after", "8s", "--deadline", "40s",
              "--param", "warmup=1s"]
END_SECONDS = 15


def done(ended):
    return not ended.hung and ended.doc is not None and not judge.reproduced(ended.doc, ended.code)


def normal_run(checks, space):
    before = look()
    started = Started(REPRO, space)
    ended = started.ended(60)
    checks.check("a normal run reproduces", done(ended), ended.describe())
    checks.all("after a normal run", clean_machine(before, ended, started.session))


def interrupted_somewhere(checks, space, after_s):
    before = look()
    started = Started(REPRO, space)
    time.sleep(after_s)
    started.signal(signal.SIGINT)
    ended = started.ended(END_SECONDS)
    name = f"SIGINT after {after_s:.2f} s"
    # Before it has begun there is nothing to undo, and nothing that would take the signal.
    unbegun = ended.code == -signal.SIGINT and not os.path.exists(started.run_dir)
    checks.check(f"{name} ends it with 3 (0 if it was done) within {END_SECONDS} s",
                 (ended.code == 3 and not ended.hung) or done(ended) or unbegun, ended.describe())
    checks.all(f"after {name}", clean_machine(before, ended, started.session))


def start_and_wait_for_stall(checks, space, name):
    """A run whose worker stands still now, or None, counted as a failure."""
    started = Started(REPRO + LONG_STALL, space)
    worker = started.wait_event(15, event="child", role="worker")
    # Before it is armed a worker may stand still because nothing has begun.
    armed = worker and started.wait_event(15, event="armed")
    if not armed or not wait_until_stalled(worker["pid"], 5):
        started.signal(signal.SIGINT)
        what = "the worker never stood still" if armed else "no worker or arming in events.jsonl"
        checks.check(name, False, f"{what}; {started.ended(END_SECONDS).describe()}")
        return None
    return started


def interrupted_in_stall(checks, space, times):
    name = "SIGINT in the stall" + (" twice" if times > 1 else "")
    before = look()
    started = start_and_wait_for_stall(checks, space, name)
    if started is None:
        return
    for _ in range(times):
        started.signal(signal.SIGINT)
        time.sleep(0.05)
    ended = started.ended(END_SECONDS)
    checks.check(f"{name} ends it with 3 within {END_SECONDS} s",
                 ended.code == 3 and not ended.hung, ended.describe())
    checks.all(f"after {name}", clean_machine(before, ended, started.session))


def killed_in_stall(checks, space):
    name = "SIGKILL of the controller in the stall"
    before = look()
    started = start_and_wait_for_stall(checks, space, name)
    if started is None:
        return
    started.signal(signal.SIGKILL)
    killed = started.ended(END_SECONDS)
    again = run(REPRO, space)
    checks.check(f"{name}: the next start reproduces as usual",
                 done(again), again.describe())
    checks.all(f"after {name} and one new start", clean_machine(before, killed, started.session))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interrupts", type=int, default=3, help="at random moments")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    print(f"leave_as_found: --seed {seed}")
    moments = random.Random(seed)
    with Checks("leave_as_found", 300 + 30 * options.interrupts) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        normal_run(checks, space)
        for _ in range(options.interrupts):
            interrupted_somewhere(checks, space, moments.uniform(0.02, 4.0))
        interrupted_in_stall(checks, space, times=1)
        interrupted_in_stall(checks, space, times=2)
        killed_in_stall(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
