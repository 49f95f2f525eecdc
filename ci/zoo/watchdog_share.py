#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the watchdog takes from the load beside it: one run of a load that wants every CPU; in every
second second its watchdog does not run (SIGSTOP), and each second with it is compared with those
without it on both sides, so that the machine's ups and downs are the same for both. The process
that reads the load's counters runs all the time."""

import argparse
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from program import Started, Workspace, read_text  # noqa: E402
from slices import slow_down  # noqa: E402

GOAL = 0.995
WARM_SECONDS = 3
MANY = 60  # pairs: enough to tell half a percent
STARTS_WITHIN, ENDS_WITHIN = 60, 30
PLAN = """
[plan]
size = "64MiB"

[[process]]
name = "busy"
  [[process.load]]
  name = "reads"
  workload = "direct-io"
  threads = {threads}
  io-size = "4KiB"
  io-file-size = "32MiB"
"""


def turn(pid, seconds, begun):
    """In second k of the load the watchdog runs when k is odd."""
    for second in range(WARM_SECONDS, seconds):
        time.sleep(max(0.0, begun + second - time.monotonic()))
        os.kill(pid, signal.SIGCONT if second % 2 else signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)


def rates(run_dir):
    """Operations per second of each second of the load."""
    rows = [list(map(float, line.split(","))) for line in
            read_text(os.path.join(run_dir, "series", "seconds.csv")).splitlines()[1:]]
    return [after[1] * 1000 / (after[0] - before[0]) for before, after in zip(rows, rows[1:])]


def shares(rates_from_second_one, seconds):
    """For each second with the watchdog its rate over the mean of those around it. Pure."""
    rate = [None, *rates_from_second_one]
    whole = range(WARM_SECONDS + 2, min(seconds, len(rate)) - 1)
    return [rate[k] / ((rate[k - 1] + rate[k + 1]) / 2) for k in whole if k % 2]


def measure(space, target, pairs):
    seconds = WARM_SECONDS + 2 * pairs + 4
    plan = space.new("plan") + ".toml"
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(PLAN.format(threads=os.cpu_count() or 1))
    started = Started(["run", plan, "--target", target.path, "--duration", f"{seconds}s"], space)
    watchdog = started.wait_event(STARTS_WITHIN, event="child", role="watchdog")
    load = started.wait_event(STARTS_WITHIN, event="load_started")
    if not watchdog or not load:
        raise RuntimeError(f"no load: {started.ended(1).describe()}")
    turn(watchdog["pid"], seconds, time.monotonic())
    ended = started.ended(ENDS_WITHIN)
    return shares(rates(ended.run_dir), seconds)


def judge(checks, found):
    slower, error, doubt = slow_down(found)
    share = 1 - slower
    checks.row(f"throughput with the watchdog over without, median of {len(found)} seconds",
               f"{share:.4f} ± {error:.4f}", f">= {GOAL}")
    # A few seconds cannot tell half a percent from noise; what is surely too slow they can.
    doubt = 0 if len(found) >= MANY else doubt
    checks.check(f"the watchdog leaves the load {GOAL} of its throughput", share + doubt >= GOAL,
                 f"{share:.4f} ± {error:.4f}")
    print(f"{share:.4f} ± {error:.4f} ({len(found)} pairs)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6)
    options = parser.parse_args()
    with Checks("watchdog_share", 120 + options.pairs * 4) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        target = Tmpfs()
        checks.at_end(target.remove)
        checks.at_end(lambda: [each.stop() for each in space.started])
        judge(checks, measure(space, target, options.pairs))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
