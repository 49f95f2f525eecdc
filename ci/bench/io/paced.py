# SPDX-License-Identifier: Apache-2.0
"""Rates: what was asked for is what is made, and I/Os begin as far apart as drawn. When each began
is told by the kernel (the tracepoint of pread64), not by us."""

import os
import re
import statistics
import subprocess
import tempfile
import time

from peers import BARE_SLEEPERS, BINARY, Cell, Workspace, family, read_text
from targets import Tmpfs

# Arrivals are drawn: so many seconds tell that a rate is kept to 1 % from chance (3 deviations).
SECONDS = {1000: 95, 50000: 4}
SHORT_SECONDS = {1000: 6, 50000: 3}
TIMERS_RATE = 10000  # beyond it gaps may be shorter than the machine's timers are late


class Tracefs:
    """An instance of our own in the kernel's tracing, mounted where nobody else sees it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="stallproof-trace-", dir="/run")
        subprocess.run(["mount", "-t", "tracefs", "none", self.folder], check=True, timeout=10)
        self.instance = os.path.join(self.folder, "instances", f"stallproof-{os.getpid()}")
        os.mkdir(self.instance)
        self.write("buffer_size_kb", "65536")

    def write(self, name, text):
        with open(os.path.join(self.instance, name), "w", encoding="utf-8") as stream:
            stream.write(text)

    def begins(self, pids, seconds):
        """Seconds at which their threads entered pread64."""
        tids = [tid for pid in pids for tid in os.listdir(f"/proc/{pid}/task")]
        self.write("set_event_pid", " ".join(tids))
        self.write("trace", "")
        self.write("events/syscalls/sys_enter_pread64/enable", "1")
        time.sleep(seconds)
        self.write("events/syscalls/sys_enter_pread64/enable", "0")
        text = read_text(os.path.join(self.instance, "trace"))
        return sorted(float(at) for at in re.findall(r"\s(\d+\.\d+): sys_pread64", text))

    def remove(self):
        os.rmdir(self.instance)
        subprocess.run(["umount", "-l", self.folder], check=False, timeout=10)
        os.rmdir(self.folder)


def spread(gaps):
    """Deviation over mean. Of many gaps the median of five stretches: one pause of the machine, of
    30 ms among gaps of 20 us, would else be all that is seen."""
    pieces = 5 if len(gaps) >= 40_000 else 1
    each = len(gaps) // pieces
    if each < 100:
        return 0
    return statistics.median(statistics.pstdev(piece) / statistics.fmean(piece) for piece in (
        gaps[start:start + each] for start in range(0, each * pieces, each)))


def spread_of_sleepers(rate, seconds):
    """Of threads that only sleep until moments drawn alike."""
    told = subprocess.run([BARE_SLEEPERS, "--rate", str(rate), "--seconds", str(seconds)],
                          capture_output=True, text=True, timeout=30, check=True).stdout
    woke = sorted(int(line) for line in told.split())
    return spread([b - a for a, b in zip(woke, woke[1:])])


def measure_rate(checks, workspace, target, trace, rate, seconds):
    cell = Cell(4096, 100, False, 32)
    place = workspace.new("paced")
    with open(place + ".parm", "w", encoding="utf-8") as stream:
        stream.write(f"sd=sd1,lun={target.path},threads={cell.depth},openflags=o_direct\n"
                     "wd=wd1,sd=sd1,xfersize=4k,rdpct=100\n"
                     f"rd=rd1,wd=wd1,iorate={rate},distribution=exponential,"
                     f"elapsed={seconds},warmup=1,interval=1\n")
    process = subprocess.Popen([BINARY, "vdbench", "-f", place + ".parm", "-o", place + ".d",
                                "--no-jvm"], stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    begins = trace.begins(family(process.pid), min(20, seconds - 2) if rate < 10000 else 1)
    out, _ = process.communicate(timeout=30 + seconds)
    row = re.search(r"avg_\S+\s+(\S+)", out)
    achieved = float(row.group(1)) if row else 0
    checks.row(f"I/Os a second at iorate={rate}, exponential", f"{achieved:.1f}", "± 1 %")
    chance = 3 / (rate * seconds) ** 0.5
    checks.check(f"iorate={rate} is kept", abs(achieved / rate - 1) <= max(0.01, chance), achieved)
    gaps = [b - a for a, b in zip(begins, begins[1:])]
    variation = spread(gaps)
    checks.row(f"spread of {len(gaps)} gaps at iorate={rate} (deviation over mean)",
               f"{variation:.3f}", "1.0 ± 0.05")
    return variation


def measure(checks, short):
    workspace, target = Workspace(), Tmpfs()
    checks.at_end(workspace.remove)
    checks.at_end(target.remove)
    trace = Tracefs()
    checks.at_end(trace.remove)
    for rate, seconds in (SHORT_SECONDS if short else SECONDS).items():
        variation = measure_rate(checks, workspace, target, trace, rate, seconds)
        judge_spread(checks, rate, variation)


def judge_spread(checks, rate, variation):
    name, most = f"gaps at iorate={rate} are spread as drawn", 1.05
    if rate > TIMERS_RATE:
        bare = spread_of_sleepers(rate, 2)
        checks.row(f"spread of what bare sleepers make of iorate={rate}", f"{bare:.3f}", "")
        name, most = f"{name}, or no wider than bare sleepers'", max(most, bare)
    checks.check(name, 0.95 <= variation <= most, f"{variation:.3f}, at most {most:.3f}")
