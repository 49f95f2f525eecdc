# SPDX-License-Identifier: Apache-2.0
"""A run directory as ten hours of five loads leave it, and the report made of it."""

import json
import os
import random
import subprocess
import time

from program import BINARY

SECONDS, LOADS = 36_000, 5
STARTED = "2026-11-25T21:00:00.000+01:00"


def stands(second):
    """Fifteen dropouts, and one stall of 40 s at 03:12."""
    return second % 2400 > 2390 or 22_320 <= second < 22_360


def load_rows(chance):
    rates = [200_000, 40_000, 900, 150, 12]
    for second in range(1, SECONDS + 1):
        for load in range(LOADS):
            head = f"{second * 1000 + 7},load-{load},"
            if stands(second):
                age = second - 22_320 if 22_320 <= second < 22_360 else second % 2400 - 2390
                yield f"{head}0,0,0,,,,8,{age * 1000}\n"
                continue
            ops = int(rates[load] * (0.8 + 0.4 * chance.random()))
            p50 = 40 * 3 ** load * (0.9 + 0.2 * chance.random())
            p99 = p50 * (6 + 3 * chance.random())
            yield (f"{head}{ops},{ops * 4096},0,{p50:.1f},{p99:.1f},"
                   f"{p99 * (2 + 30 * chance.random() ** 8):.1f},8,{int(chance.random() * 20)}\n")


def latency_rows(chance):
    for second in range(1, SECONDS + 1):
        if stands(second):
            continue
        for load in range(LOADS):
            # It slows down by the hour, and has a long tail.
            octave = 2 ** (5 + int(load * 1.6) + second // 12_000)
            for step in range(24):
                edge = octave * 2 ** (step // 4) * (1 + step % 4 / 4)
                count = int(20_000 / 1.6 ** step * chance.random())
                if count:
                    yield f"{second * 1000 + 7},load-{load},{edge:g},{count}\n"


def verdict():
    onset = 22_320_000.0
    return {
        "schema": 1, "run": "20261125-210000.000-ten-hours-1", "scenario": "",
        "settings": {"plan": "ten-hours", "seed": "7"}, "verdict": "fail", "exit_code": 1,
        "reasons": ["stalled: mmap_lock_cycle (incident 001)"], "labels": {"build": "7.1.3"},
        "node": "node7", "kernel": "6.1.0", "tool_version": "0.1.0",
        "target": {"path": "/mnt/data", "fstype": "ext4", "source": "/dev/vdb", "modules": []},
        "thresholds": {"stall_after_ms": 1000.0, "fail_after_ms": 30000.0, "dropout_below": 0.1},
        "started": STARTED, "ended": "2026-11-26T07:00:00.000+01:00",
        "duration_s": float(SECONDS),
        "stalls": [{"id": "001", "class": "mmap_lock_cycle", "signature": "mmap_lock_cycle:a>b",
                    "onset": "", "onset_ms": onset, "detected_ms": onset + 1000,
                    "resolved_ms": onset + 40_000, "failing": True, "sources": ["no-progress"],
                    "explanation": "incidents/001/explanation.json"}],
        "dropouts": [{"workload": f"load-{i % LOADS}", "start_ms": (2390 + 2400 * i) * 1000.0,
                      "duration_ms": 9000.0, "min_ratio": 0.0} for i in range(15)],
        "suspected": [], "hazard": None,
        "observer": {"lens": "bpf", "loop_lag_max_ms": 1.2, "scans": SECONDS, "gaps": 0},
        "left_behind": [], "command_exit": None,
        "workloads": {f"load-{i}": {"ops": 1_000_000, "bytes": 4_096_000_000, "errors": 0,
                                    "p50_us": 40.0, "p99_us": 300.0, "max_us": 9000.0}
                      for i in range(LOADS)}}


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines([text] if isinstance(text, str) else text)


def make_ten_hours(directory):
    """`directory`: made, with everything but the incident's explanation."""
    chance = random.Random(7)
    series = os.path.join(directory, "series")
    write(f"{series}/loads.csv", (line for part in (
        ["t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n"],
        load_rows(chance)) for line in part))
    write(f"{series}/latency.csv", (line for part in (
        ["t_ms,load,from_us,count\n"], latency_rows(chance)) for line in part))
    write(f"{series}/windows.csv", "start_ms,end_ms,kind,text\n600000,602000,canary,known stall\n"
          "14400000,15000000,mark,failover of node 3, planned\n30000000,30004000,gap,not run\n")
    write(f"{directory}/verdict.json", json.dumps(verdict()))
    write(f"{directory}/env.json", json.dumps({"schema": 1, "node": "node7", "kernel": "6.1.0",
                                               "cpus": 2, "tool_version": "0.1.0"}))
    write(f"{directory}/events.jsonl", "")
    write(f"{directory}/incidents/001/incident.json", json.dumps(
        {"id": "001", "class": "mmap_lock_cycle", "signature": "mmap_lock_cycle:a>b",
         "onset_ms": 22_320_000.0, "detected_ms": 22_321_000.0, "resolved_ms": 22_360_000.0,
         "loads": ["load-0"], "sources": ["no-progress"], "cycle_confirmed": True}))


class Made:
    """One report: its exit code, seconds, resident MiB at most and bytes."""

    def __init__(self, run, out, *words):
        began = time.monotonic()
        with subprocess.Popen([BINARY, "report", run, "-o", out, *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as child:
            self.problems = child.stderr.read().decode(errors="replace").splitlines()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.code = child.returncode
        self.seconds = time.monotonic() - began
        self.mib = usage.ru_maxrss / 1024
        self.bytes = os.path.getsize(out) if os.path.exists(out) else 0

    @staticmethod
    def median(makes):
        return sorted(makes, key=lambda made: made.seconds)[len(makes) // 2]

