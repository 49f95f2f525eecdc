#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each scenario of this machine is interrupted in the worst moment, while its stall stands: by
Ctrl-C as a terminal sends it, and by SIGKILL of the controller followed by one new start. Then the
machine is as before: mounts, FUSE connections, loop devices, control groups, files, processes,
sysctls."""

import argparse
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

from cases import cases, listed, one_of_each  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from kernel_things import kernel_things, things_left  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace, run  # noqa: E402

STANDS_WITHIN, ENDS_WITHIN = 15, 12
QUIET_FOR_A_WHILE = 1.0  # armed, in scenarios that stall not at all
AGAIN = ["repro", "control-vfork", "--expect", "quiet", "--deadline", "1s", "--param",
         "warmup=500ms", "--json"]


def stands(started):
    """Waits until the stall is explained, or, where there is none, for a while after arming."""
    if started.wait_event(STANDS_WITHIN, event="armed") is None:
        return False
    evidence = os.path.join(started.run_dir, "incidents", "001")
    deadline = time.monotonic() + STANDS_WITHIN
    while not os.path.exists(evidence) and time.monotonic() < deadline:
        time.sleep(0.02)
        if started.process.poll() is not None:
            return False
    return os.path.exists(evidence)


def start(case, space):
    words = ["repro", case.scenario, case.kind, case.name, "--json", "--param", "warmup=1s"]
    return Started([*words, *(["--expect", "quiet"] if case.quiet else [])], space)


def interrupt(checks, case, space):
    """Ctrl-C goes to every process of the terminal's group."""
    before, things = look(), kernel_things()
    started = start(case, space)
    there = wait(started, case)
    os.killpg(started.session, signal.SIGINT)
    ended = started.ended(ENDS_WITHIN)
    checks.check(f"{case}: Ctrl-C while it stands ends it with 3",
                 there and ended.code == 3 and not ended.hung,
                 ended.describe() if there else f"it did not stand; {ended.describe()}")
    checks.all(f"{case}: after Ctrl-C",
               clean_machine(before, ended, started.session) + things_left(things))


def kill(checks, case, space):
    before, things = look(), kernel_things()
    started = start(case, space)
    there = wait(started, case)
    started.signal(signal.SIGKILL)
    killed = started.ended(ENDS_WITHIN)
    again = run(AGAIN, space)
    checks.check(f"{case}: after SIGKILL the next start runs as ever", there and again.code == 0,
                 again.describe() if there else f"it did not stand; {killed.describe()}")
    checks.all(f"{case}: after SIGKILL and one new start",
               clean_machine(before, killed, started.session) + things_left(things))


def wait(started, case):
    if not case.quiet:
        return stands(started)
    armed = started.wait_event(STANDS_WITHIN, event="armed") is not None
    time.sleep(QUIET_FOR_A_WHILE)
    return armed


def chosen(options):
    """Of each scenario the first variant that stalls, else the first."""
    everything = one_of_each(cases(listed()))
    stalling = {case.scenario for case in everything if not case.quiet}
    found = [case for case in everything if not case.quiet or case.scenario not in stalling]
    if options.scenario:
        found = [case for case in found if case.scenario in options.scenario]
    part, parts = map(int, options.part.split("/"))
    return found[part - 1::parts]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; may be repeated")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th scenario from the K-th on")
    options = parser.parse_args()
    found = chosen(options)
    with Checks("clean_up", 60 + 90 * len(found)) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        checks.check("there are scenarios", bool(found), "none on this machine")
        for case in found:
            interrupt(checks, case, space)
            kill(checks, case, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
