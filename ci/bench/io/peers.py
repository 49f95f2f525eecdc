# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: ours, fio, and a loop that does nothing else. Each says its I/Os
a second; what CPU it takes meanwhile, with all its processes and kernel worker threads, is read
from the scheduler's own account in the middle of the measured time."""

import json
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "ci", "measure"))

from program import BINARY, Workspace, read_text  # noqa: E402

BARE = os.path.join(TOP, "build/dev/ci/bare_loop")
BARE_SLEEPERS = os.path.join(TOP, "build/dev/ci/bare_sleepers")
WARM_S = 1
START_S = 0.3  # until each of them makes I/O
EDGE_S = 0.2


class Cell:
    """One kind of I/O."""

    def __init__(self, block, reads, sequential, depth):
        self.block, self.reads, self.sequential, self.depth = block, reads, sequential, depth

    @property
    def name(self):
        kind = "sequential read" if self.sequential else (
            "random read" if self.reads == 100 else f"random {self.reads}/{100 - self.reads}")
        return f"{self.block // 1024}k {kind}, depth {self.depth}"


class Speed:
    def __init__(self, rate, cpu_s, wall_s):
        self.rate = rate
        self.cpu_us = cpu_s / wall_s / rate * 1e6 if rate else float("inf")


def family(pid):
    found = [pid]
    for each in found:
        try:
            tids = os.listdir(f"/proc/{each}/task")
        except OSError:
            continue
        for tid in tids:
            found += [int(word) for word in read_text(f"/proc/{each}/task/{tid}/children").split()]
    return found


def cpu_seconds(pids):
    """Of all their threads, those that have ended and those the kernel runs for rings included."""
    ticks = 0
    for pid in pids:
        words = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12]) if words else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(command, seconds):
    """(output, CPU seconds, seconds of the window) of a program that measures `seconds`."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(START_S + WARM_S + EDGE_S)
    pids = family(process.pid)
    began, before = time.monotonic(), cpu_seconds(pids)
    time.sleep(seconds - 2 * EDGE_S)
    ended, after = time.monotonic(), cpu_seconds(pids)
    out, err = process.communicate(timeout=30 + seconds)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit {process.returncode}: {(err or out)[-300:]}")
    return out, after - before, ended - began


class Ours:
    """`stallproof vdbench`, its output and watchdog included."""
    name = "ours"

    def __init__(self, engine="io_uring", validate=False):
        self.engine, self.validate = engine, validate
        self.workspace = Workspace()

    def speed(self, target, cell, seconds):
        place = self.workspace.new("io")
        lines = [f"sd=sd1,lun={target.path},threads={cell.depth},openflags=o_direct",
                 f"wd=wd1,sd=sd1,xfersize={cell.block},rdpct={cell.reads},"
                 f"seekpct={0 if cell.sequential else 100}",
                 f"rd=rd1,wd=wd1,iorate=max,elapsed={seconds},warmup={WARM_S},interval=1"]
        with open(place + ".parm", "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
        command = [BINARY, "vdbench", "-f", place + ".parm", "-o", place + ".d", "--no-jvm",
                   "--engine", self.engine] + (["-v"] if self.validate else [])
        out, cpu_s, wall_s = timed(command, seconds)
        for line in out.splitlines():
            row = re.search(r"avg_\S+\s+(\S+)", line)
            if row:
                return Speed(float(row.group(1)), cpu_s, wall_s)
        raise RuntimeError("no row of averages: " + out[-300:])

    def remove(self):
        self.workspace.remove()


class Fio:
    """With its defaults, or with what we use: registered buffers and files, our number of rings
    and what we submit at once."""

    def __init__(self, engine="io_uring", tuned=False):
        self.engine, self.tuned = engine, tuned
        self.name = "fio as ours" if tuned else "fio"

    def speed(self, target, cell, seconds):
        kind = ("read" if cell.sequential else "randread") if cell.reads == 100 else "randrw"
        jobs, depth = 1, cell.depth
        words = []
        if self.engine == "psync":
            jobs, depth = cell.depth, 1
        elif self.tuned:
            jobs = min(len(os.sched_getaffinity(0)),
                       max(1, cell.depth // (16 if cell.block < 32 << 10 else 2)))
            depth = cell.depth // jobs
            words = ["--registerfiles=1", "--fixedbufs=1",
                     f"--iodepth_batch_submit={self.batch(target, depth)}",
                     "--iodepth_batch_complete_min=1",
                     f"--iodepth_batch_complete_max={depth}"]
        command = ["fio", "--name=bench", f"--filename={target.path}", f"--rw={kind}",
                   f"--rwmixread={cell.reads}", f"--bs={cell.block}", f"--ioengine={self.engine}",
                   f"--iodepth={depth}", f"--numjobs={jobs}", "--thread", "--group_reporting",
                   "--direct=1", "--time_based", f"--runtime={seconds}", f"--ramp_time={WARM_S}",
                   "--output-format=json", *words]
        out, cpu_s, wall_s = timed(command, seconds)
        job = json.loads(out[out.index("{"):])["jobs"][0]
        return Speed(job["read"]["iops"] + job["write"]["iops"], cpu_s, wall_s)

    @staticmethod
    def batch(target, depth):
        """As engine_uring.cpp: a sixteenth of what a device has in flight, at most four."""
        return min(4, depth) if target.workers else max(1, min(4, depth // 16))

    def remove(self):
        pass


class Bare:
    name = "bare loop"

    def speed(self, target, cell, seconds):
        command = [BARE, target.path, "--block", str(cell.block), "--depth", str(cell.depth),
                   "--read-percent", str(cell.reads), "--warm", str(START_S + WARM_S),
                   "--seconds", str(seconds)] + (["--sequential"] if cell.sequential else [])
        out, cpu_s, wall_s = timed(command, seconds)
        found = json.loads(out)
        return Speed(found["ios"] / found["seconds"], cpu_s, wall_s)

    def remove(self):
        pass
