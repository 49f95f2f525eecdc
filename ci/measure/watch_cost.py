# SPDX-License-Identifier: Apache-2.0
"""What being watched costs: 4k random reads of one fio on a tmpfs of its own, depth 32. The watch
is put on and taken off again and again while fio runs on, and each watched stretch is compared with
the unwatched ones before and after it: the ups and downs of the machine are the same for both."""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import old_kernel
from checks import Checks
from judge import median
from program import BINARY, Workspace, read_text

OFF_S, ON_S = 1.6, 2.4
SETTLE_S = 0.8  # loading BPF, which is not what being watched costs
LIMITS = {"with BPF": 0.02, "without BPF": 0.005}


class Fio:
    """fio that runs until it is stopped, and what it completed in each 100 ms."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "rate")
        self.process = subprocess.Popen(
            ["fio", "--name=cost", f"--filename={folder}/data", "--size=256m", "--rw=randread",
             "--bs=4k", "--ioengine=libaio", "--iodepth=32", "--time_based", "--runtime=3600",
             "--norandommap", "--randrepeat=0", f"--write_iops_log={self.log}",
             "--log_avg_msec=100", "--output=/dev/null"], cwd=folder)
        self.began = time.monotonic()
        time.sleep(2)

    def rates(self):
        """[(seconds since the start, reads per second)]; ends fio."""
        self.process.terminate()
        self.process.wait(20)
        lines = read_text(self.log + "_iops.1.log").splitlines()
        return [(int(line.split(",")[0]) / 1000, float(line.split(",")[1])) for line in lines]


def watched_stretch(fio, workspace, blind):
    """One watch; the seconds of fio's own time in which it only watched."""
    watch = subprocess.Popen(
        [BINARY, "watch", "--pid", str(fio.process.pid), "--duration", f"{ON_S}s", "--quiet", "-o",
         workspace.new("cost") + ".d"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=old_kernel.become_old if blind else None)
    began = time.monotonic() - fio.began
    if watch.wait(20) not in (0, 3):
        raise RuntimeError("the watch failed")
    return began + SETTLE_S, began + ON_S


def mean_between(rates, begin, end):
    return statistics.fmean(value for at, value in rates if begin <= at < end)


def measure(folder, workspace, blind, pairs):
    """For each watched stretch its rate over the mean of the stretches around it."""
    fio, stretches = Fio(folder), []
    for _ in range(pairs):
        time.sleep(OFF_S)
        stretches.append(watched_stretch(fio, workspace, blind))
    time.sleep(OFF_S)
    rates, ratios = fio.rates(), []
    for begin, end in stretches:
        before = mean_between(rates, begin - SETTLE_S - OFF_S + 0.2, begin - SETTLE_S - 0.1)
        after = mean_between(rates, end + 0.3, end + OFF_S)
        ratios.append(mean_between(rates, begin, end) / ((before + after) / 2))
    return ratios


def judge(checks, name, ratios):
    slower, limit = 1 - median(ratios), LIMITS[name]
    error = statistics.stdev(ratios) / math.sqrt(len(ratios))
    checks.row(f"slow-down of a watched fio, {name}, median of {len(ratios)} stretches",
               f"{slower:.4f} ± {error:.4f}", f"<= {limit}")
    # A few stretches cannot tell half a percent from noise; what is surely too slow they can.
    doubt = 2 * error if len(ratios) < 20 else error
    checks.check(f"a watched fio is not slowed down, {name}", slower - doubt <= limit,
                 f"slower by {slower:.4f} ± {error:.4f}, limit {limit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6)
    options = parser.parse_args()
    with Checks("watch_cost", 60 + options.pairs * 12) as checks:
        workspace = Workspace()
        checks.at_end(workspace.remove)
        folder = tempfile.mkdtemp(prefix="stallproof-cost-", dir="/run")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", folder], check=True,
                       timeout=10)
        checks.at_end(lambda: (subprocess.run(["umount", "-l", folder], check=False, timeout=10),
                               os.rmdir(folder)))
        for name in LIMITS:
            judge(checks, name, measure(folder, workspace, name == "without BPF", options.pairs))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
