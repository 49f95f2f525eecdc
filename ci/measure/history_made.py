# SPDX-License-Identifier: Apache-2.0
"""Run directories that no run made: as many as wanted, with what they hold known beforehand."""

import datetime
import json
import os
import random

SIGNATURES = ("mmap_lock_cycle:fault_read>mprotect_write>service_read",
              "fs_server_stuck:request>service_stopped", "device_stuck:io>device")
LOADS = ("direct-read", "mapped-fault", "writer")
OFFSETS_MIN = (0, 60, 120, -480, 330, 765)
BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


class Made:
    """One run as it was made: `verdict` is its document, `started` an aware datetime."""

    def __init__(self, name, verdict, started):
        self.name, self.verdict, self.started = name, verdict, started

    @property
    def build(self):
        return self.verdict["labels"].get("build", "")

    @property
    def signatures(self):
        return [stall["signature"] for stall in self.verdict["stalls"]]

    @property
    def counts(self):
        """Of such runs rates are told."""
        return not self.verdict["scenario"] and self.verdict["verdict"] in ("pass", "fail")


def stamp(moment):
    return moment.isoformat(timespec="milliseconds")


def stall(chance, number, started):
    onset_ms = chance.uniform(1000, 50_000)
    onset = started + datetime.timedelta(milliseconds=onset_ms)
    signature = chance.choice(SIGNATURES)
    return {"id": f"{number:03d}", "class": signature.split(":")[0], "signature": signature,
            "onset": stamp(onset), "onset_ms": onset_ms, "detected_ms": onset_ms + 1000,
            "resolved_ms": onset_ms + 40_000 if chance.random() < 0.5 else None, "failing": True,
            "sources": ["no-progress"], "explanation": f"incidents/{number:03d}/explanation.json"}


def load(chance, seconds):
    per_second = chance.gauss(20_000, 400)
    return {"ops": int(per_second * seconds), "bytes": int(per_second * seconds) * 4096,
            "errors": 0, "mismatches": 0, "sigbus": 0, "p50_us": chance.uniform(40, 60),
            "p99_us": chance.uniform(100, 200), "max_us": chance.uniform(1000, 9000),
            "per_second_min": int(per_second * 0.8)}


def verdict(chance, name, number, total, started):
    seconds = chance.uniform(60, 3600)
    stalls = [stall(chance, 1 + i, started) for i in range(chance.choices((0, 1, 2), (8, 1, 1))[0])]
    word = "fail" if stalls else chance.choices(("pass", "unknown"), (9, 1))[0]
    return {"schema": 1, "run": name, "scenario": "mmap-lock-fault" if number % 17 == 0 else "",
            "settings": {}, "verdict": word,
            "exit_code": {"pass": 0, "fail": 1, "unknown": 3}[word],
            "reasons": ["no stall" if not stalls else "stalled"],
            "labels": {"build": f"1.{number * 40 // total}", "rig": f"r{number % 4}"},
            "node": f"node{number % 4}", "kernel": "6.1.0-13-amd64", "tool_version": "0.1.0",
            "target": {"path": "/mnt/data", "fstype": "fuse.ffs", "source": "ffs", "modules": []},
            "thresholds": {"stall_after_ms": 1000, "fail_after_ms": 30000, "dropout_below": 0.1},
            "started": stamp(started),
            "ended": stamp(started + datetime.timedelta(seconds=seconds)),
            "duration_s": seconds, "stalls": stalls, "dropouts": [], "suspected": [],
            "hazard": None, "observer": {"lens": "bpf"}, "ffs": None, "timings": {},
            "captures": {"policy": "report", "taken": 0, "problems": [], "crash": None},
            "left_behind": [], "command_exit": None,
            "workloads": {each: load(chance, seconds) for each in LOADS}}


def write(directory, name, document):
    os.makedirs(os.path.join(directory, "incidents"))
    for file, text in (("verdict.json", json.dumps(document, indent=2) + "\n"),
                       ("run.id", name + "\n"), ("events.jsonl", "")):
        with open(os.path.join(directory, file), "w", encoding="utf-8") as stream:
            stream.write(text)


def make(runs, total, seed=7, first=0):
    """Makes `total` run directories below `runs`; the list of them, in the order of their start."""
    chance = random.Random(seed + first)
    made = []
    for number in range(first, first + total):
        zone = datetime.timezone(datetime.timedelta(minutes=chance.choice(OFFSETS_MIN)))
        started = (BEGIN + datetime.timedelta(minutes=20 * number)).astimezone(zone)
        name = f"{started:%Y%m%d-%H%M%S}.000-made-{number}"
        document = verdict(chance, name, number, max(total, first), started)
        write(os.path.join(runs, name), name, document)
        made.append(Made(name, document, started))
    return made
