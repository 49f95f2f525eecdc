# SPDX-License-Identifier: Apache-2.0
"""Looks at running processes from outside through the /proc files that take no lock of theirs:
status and schedstat."""

import os
import time


def threads(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def schedstat(pid, tid):
    """(ns on a CPU, times run), or None when the thread is gone."""
    try:
        with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as stream:
            on_cpu, _, times = stream.read().split()
            return int(on_cpu), int(times)
    except (OSError, ValueError):
        return None


def cpu_ns(pid):
    return sum(stat[0] for stat in (schedstat(pid, tid) for tid in threads(pid)) if stat)


def rss_kib(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def standing_threads(pid, seconds):
    """(threads that did not run for `seconds`, all threads)."""
    before = {tid: schedstat(pid, tid) for tid in threads(pid)}
    time.sleep(seconds)
    after = {tid: schedstat(pid, tid) for tid in before}
    known = [tid for tid in before if before[tid] and after[tid]]
    return sum(before[tid] == after[tid] for tid in known), len(known)


def wait_until_stalled(pid, seconds):
    """True as soon as four fifths of at least five threads have not run for 0.3 s."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        standing, known = standing_threads(pid, 0.3)
        if known >= 5 and standing >= 0.8 * known:
            return True
        if known == 0:
            return False
    return False
