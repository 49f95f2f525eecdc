# SPDX-License-Identifier: Apache-2.0
"""A measurement beside which somebody else used the CPUs says nothing: it is taken again."""

import math
import os
import resource
import statistics
import time

MOST_FOREIGN = 0.05  # of one CPU, in user mode; kernel threads, which work for the load, have none
TRIES = 6
PAUSE_S = 2

# Of Student's t, one-sided 95 %, by rounds: few rounds know little of their own spread.
STUDENT = {2: 6.31, 3: 2.92, 4: 2.35, 5: 2.13}

budget = None  # repetitions that are left, of all measurements; None: no limit
again = 0  # measurements that were repeated
kept = 0  # those that were disturbed each time, and kept all the same


def user_seconds():
    """(of the whole machine and what its host took, of this process and its ended children)"""
    with open("/proc/stat", encoding="ascii") as stream:
        words = stream.readline().split()
    all_of_it = sum(int(words[i]) for i in (1, 2, 8)) / os.sysconf("SC_CLK_TCK")
    own = sum(resource.getrusage(who).ru_utime
              for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return all_of_it, own


def undisturbed(measure):
    """What measure() returns; it must have waited for all processes that it starts."""
    global again, budget, kept
    for left in reversed(range(TRIES)):
        began, (all_before, own_before) = time.monotonic(), user_seconds()
        found = measure()
        all_after, own_after = user_seconds()
        foreign = (all_after - all_before) - (own_after - own_before)
        if foreign / (time.monotonic() - began) <= MOST_FOREIGN:
            return found
        if not left or budget == 0:
            break
        again += 1
        budget = budget and budget - 1
        time.sleep(PAUSE_S)
    kept += 1
    return found


def doubt(ratios):
    """How far the middle of so few may be from the truth; what misses a goal by more surely
    does."""
    if len(ratios) < 2:
        return 0
    return STUDENT.get(len(ratios), 2) * statistics.stdev(ratios) / math.sqrt(len(ratios))


def tell(checks):
    checks.row("measurements taken again because others used the CPUs", f"{again}", "")
    checks.row("measurements kept although others did", f"{kept}", "")
