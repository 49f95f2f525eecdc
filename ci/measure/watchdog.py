#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the watchdog costs while it watches 500 threads and a deadlock stands: by its own account in
the verdict, and by the kernel's account of its process."""

import argparse
import sys
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from processes import cpu_ns, rss_kib, threads  # noqa: E402
from program import Started, Workspace  # noqa: E402

CPU_PERCENT, RSS_KIB, TICK_MS, THREADS = 1.0, 64 * 1024, 50, 500
WORDS = ["repro", "mmap-lock-fault", "--json", "--deadline", "60s"]


class Samples:
    """CPU and memory of one process, and the most threads its neighbours had."""

    def __init__(self):
        self.first = self.last = None
        self.rss_max = self.threads_max = 0

    def take(self, watchdog, watched):
        cpu, rss = cpu_ns(watchdog), rss_kib(watchdog)
        if not cpu or rss is None:
            return
        self.last = (time.monotonic(), cpu)
        self.first = self.first or self.last
        self.rss_max = max(self.rss_max, rss)
        self.threads_max = max(self.threads_max, sum(len(threads(pid)) for pid in watched))

    def cpu_percent(self):
        if self.first is None or self.last[0] - self.first[0] < 1.0:
            return None
        return (self.last[1] - self.first[1]) / (self.last[0] - self.first[0]) / 1e7


def watch_from_outside(started):
    watchdog = started.wait_event(20, event="child", role="watchdog")
    samples = Samples()
    if watchdog is None:
        return samples
    while not started.wait(0.2):
        watched = [event["pid"] for role in ("worker", "ffs")
                   for event in [started.wait_event(0, event="child", role=role)] if event]
        samples.take(watchdog["pid"], watched)
        if time.monotonic() - started.began > 90:
            break
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direct-threads", type=int, default=480)
    parser.add_argument("--seconds", type=int, default=10, help="how long the deadlock stands")
    options = parser.parse_args()
    with Checks("watchdog", 180 + options.seconds) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        started = Started(
            [*WORDS, "--stall-after", f"{options.seconds}s", "--fail-after", f"{options.seconds}s",
             "--param", "fault-threads=16",
             "--param", f"direct-threads={options.direct_threads}"], space)
        samples = watch_from_outside(started)
        ended = started.ended(30)
        judge_all(checks, ended, samples, options.seconds)
    return checks.code


def judge_all(checks, ended, samples, stall_s):
    if ended.hung or ended.doc is None:
        checks.check("a run with 500 threads", False, ended.describe())
        return
    checks.all("a run with 500 threads reproduces", judge.reproduced(ended.doc, ended.code))
    stood_ms = judge.span(ended.doc, "last_op_ms", "healed_ms")
    checks.check(f"the deadlock stood for {stall_s} s", (stood_ms or 0) >= stall_s * 1000,
                 f"{stood_ms} ms")
    checks.check(f"at least {THREADS} threads were watched", samples.threads_max >= THREADS,
                 f"{samples.threads_max}")
    for what, inside, outside, limit in (
            ("CPU percent", judge.number(ended.doc, "observer", "cpu_percent"),
             samples.cpu_percent(), CPU_PERCENT),
            ("RSS KiB", judge.number(ended.doc, "observer", "rss_kib"),
             samples.rss_max or None, RSS_KIB)):
        checks.all(f"{what} by its own account", judge.within(what, inside, limit, at_least=0))
        checks.all(f"{what} by the kernel's account", judge.within(what, outside, limit))
        checks.row(f"watchdog, {samples.threads_max} threads: {what}, own / kernel's account",
                   f"{rounded(inside)} / {rounded(outside)}", limit)
    for key, what in (("tick_max_in_stall_ms", "longest tick in the stall, ms"),
                      ("tick_max_ms", "longest tick, ms")):
        value = judge.number(ended.doc, "observer", key)
        checks.row(f"watchdog, {samples.threads_max} threads: {what}", rounded(value), TICK_MS)
        if key == "tick_max_in_stall_ms":
            checks.all(what, judge.within(what, value, TICK_MS, at_least=0))


def rounded(value):
    return "?" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    sys.exit(main())
