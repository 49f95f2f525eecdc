# SPDX-License-Identifier: Apache-2.0
"""Results of a fleet that never ran: as many nodes of ten hours as wanted, with what happened to
them known beforehand. Each node has files of its own; the series, which are most of the bytes, are
copies of a few."""

import datetime
import json
import os
import random
import shutil

SIGNATURE = "mmap_lock_cycle:fault_read>mprotect_write>service_read"
OTHER = "fs_server_stuck:request>service_stopped"
EXPLAINED = "fault/0 101 waits for itself"
LOADS = ("direct-read", "mapped-fault")
SECONDS = 36_000
BEGIN = datetime.datetime(2026, 11, 26, 18, tzinfo=datetime.timezone.utc)
PLAN = '[plan]\nname = "soak"\nduration = "10h"\n\n[[process]]\n[[process.load]]\nname = "direct"\n'
HEADER = "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n"
SERIES = 8


def stamp(seconds):
    return (BEGIN + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def stall(number, onset_ms, signature, lasts_ms=40_000, failing=True):
    return {"id": f"{number:03d}", "class": signature.split(":")[0], "signature": signature,
            "onset": stamp(onset_ms / 1e3), "onset_ms": onset_ms, "detected_ms": onset_ms + 1000,
            "resolved_ms": onset_ms + lasts_ms, "failing": failing, "marked": False,
            "sources": ["no-progress"], "explanation": f"incidents/{number:03d}/explanation.json"}


def load(seconds):
    return {"ops": 20_000 * seconds, "bytes": 20_000 * seconds * 4096, "errors": 0,
            "mismatches": 0, "sigbus": 0, "p50_us": 50.0, "p99_us": 150.0, "max_us": 5000.0,
            "per_second_min": 0}


def verdict(node, stalls=(), seconds=SECONDS, build="3.2.1", **changed):
    failing = [each for each in stalls if each["failing"]]
    document = {
        "schema": 1, "run": f"20261126-180000.000-soak-{node}", "scenario": "", "settings": {},
        "verdict": "fail" if failing else "pass", "exit_code": 1 if failing else 0,
        "reasons": [f"stalled: {each['class']} (incident {each['id']})" for each in failing] or
        ["no stall"], "labels": {"build": build}, "node": node, "kernel": "6.1.0-13-amd64",
        "tool_version": "0.1.0",
        "target": {"path": "/mnt/data", "fstype": "fuse.ffs", "source": "ffs", "modules": []},
        "thresholds": {"stall_after_ms": 1000, "fail_after_ms": 30000, "dropout_below": 0.1},
        "started": stamp(0), "ended": stamp(seconds), "duration_s": seconds,
        "stalls": list(stalls), "dropouts": [], "suspected": [], "hazard": None,
        "observer": {"lens": "bpf", "canary": {"passed": True}}, "ffs": None, "timings": {},
        "captures": {"policy": "report", "taken": 0, "problems": [], "crash": None},
        "left_behind": [], "command_exit": None, "workloads": {each: load(seconds)
                                                               for each in LOADS}}
    return {**document, **changed}


def explanation(signature):
    return {"class": signature.split(":")[0], "signature": signature,
            "summary": "fault/0 101 holds the mmap_lock of java for read and waits.",
            "nodes": [{"id": "task:101", "kind": "task", "label": "fault/0 101", "role": "holder",
                       "stack": ["request_wait_answer", "filemap_fault"]},
                      {"id": "lock:1", "kind": "lock", "label": "mmap_lock of java"}],
            "edges": [{"from": "task:101", "to": "lock:1", "kind": "waits_for", "mode": "write"},
                      {"from": "lock:1", "to": "task:101", "kind": "held_by", "mode": "read"}],
            "cycle": ["task:101", "lock:1"], "root": {"holder": "task:101"},
            "advice": "Restart the service."}


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def series_text(seed, seconds):
    chance = random.Random(seed)
    lines = [HEADER]
    for second in range(1, seconds + 1):
        for name in LOADS:
            ops = int(chance.gauss(20_000, 900))
            lines.append(f"{second * 1000 + 3.25:.2f},{name},{ops},{ops * 4096},0,48.2,151.7,"
                         f"{chance.randint(900, 9000)},8,1.5\n")
    return "".join(lines)


class Fleet:
    """Directories of nodes below `path`; `series`: so many differ."""

    def __init__(self, path, seconds=SECONDS, series=SERIES):
        self.path = path
        self.series = []
        for number in range(series):
            file = os.path.join(path, f".series-{number}")
            write(file, series_text(number, seconds))
            self.series.append(file)

    def directory(self, node):
        return os.path.join(self.path, node)

    def put(self, node, document, number=0):
        """A finished run; `number` chooses its series."""
        base = self.directory(node)
        write(os.path.join(base, "verdict.json"), document)
        self.put_rest(node, number)
        for each in document["stalls"]:
            folder = os.path.join(base, "incidents", each["id"])
            write(os.path.join(folder, "incident.json"),
                  {"id": each["id"], "class": each["class"], "signature": each["signature"],
                   "onset_ms": each["onset_ms"], "detected_ms": each["detected_ms"],
                   "resolved_ms": each["resolved_ms"], "loads": [LOADS[0]]})
            write(os.path.join(folder, "explanation.json"), explanation(each["signature"]))
            write(os.path.join(folder, "explanation.txt"), EXPLAINED + "\n")

    def put_rest(self, node, number=0):
        """What a run writes before its verdict."""
        base = self.directory(node)
        run = f"20261126-180000.000-soak-{node}"
        facts = {"schema": 1, "node": node, "kernel": "6.1.0-13-amd64", "tool_version": "0.1.0"}
        write(os.path.join(base, "run.id"), run + "\n")
        write(os.path.join(base, "plan.toml"), PLAN)
        write(os.path.join(base, "events.jsonl"), '{"t_ms":1,"event":"load_started"}\n')
        write(os.path.join(base, "env.json"), {**facts, "cpus": 16})
        write(os.path.join(base, "manifest.json"),
              {**facts, "run": run, "state": "running", "started": stamp(0),
               "labels": {"build": "3.2.1"}})
        os.makedirs(os.path.join(base, "series"), exist_ok=True)
        place = os.path.join(base, "series", "loads.csv")
        if not os.path.exists(place):
            shutil.copyfile(self.series[number % len(self.series)], place)

    def forget(self):
        """What the page cache holds of it goes: results come from other machines."""
        for folder, _, files in os.walk(self.path):
            for name in files:
                fd = os.open(os.path.join(folder, name), os.O_RDONLY)
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)


def names(count):
    return [f"node{number:04d}" for number in range(1, count + 1)]


def list_of(count):
    """As Slurm writes it."""
    return f"node[0001-{count:04d}]"


class Known:
    """A fleet of `count` nodes in which every tenth stalled, all of them within 300 ms at 03:00,
    and one of them again, alone and otherwise, an hour later."""

    def __init__(self, fleet, count):
        self.nodes = names(count)
        self.stalled = self.nodes[2::10]
        for number, node in enumerate(self.nodes):
            stalls = []
            if node in self.stalled:
                place = self.stalled.index(node)
                onset = 32_400_000 + (300 if place == len(self.stalled) - 1 else place % 300)
                stalls.append(stall(1, onset, SIGNATURE))
            if node == self.stalled[0]:
                stalls.append(stall(2, 35_000_000, OTHER))
            fleet.put(node, verdict(node, stalls), number)
        self.directories = [fleet.directory(node) for node in self.nodes]
        self.failing = len(self.stalled) + 1
