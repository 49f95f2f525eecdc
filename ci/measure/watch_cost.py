# SPDX-License-Identifier: Apache-2.0
"""What being watched costs: 4k random reads of one fio on a tmpfs of its own, depth 32. One watch
runs all the time; every half second it is stopped or continued (SIGSTOP, SIGCONT), and each slice
with it is compared with the slices without it on both sides: the machine's ups and downs, which
last seconds, are the same for both. A watch that is stopped does nothing to its target: nothing of
it is attached there."""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import old_kernel
from checks import Checks
from program import BINARY, Workspace, read_text
from slices import ratios, slow_down

SLICE_S = 0.5
EDGE_S = 0.1  # of a slice, at both ends: a row of fio's log may lie across
SETTLE_S = 3  # loading BPF, which is not what being watched costs
LIMITS = {"with BPF": 0.02, "without BPF": 0.005}


class Fio:
    """fio that runs until it is stopped, and what it completed in each 50 ms."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "rate")
        self.process = subprocess.Popen(
            ["fio", "--name=cost", f"--filename={folder}/data", "--size=256m", "--rw=randread",
             "--bs=4k", "--ioengine=libaio", "--iodepth=32", "--time_based", "--runtime=3600",
             "--norandommap", "--randrepeat=0", f"--write_iops_log={self.log}",
             "--log_avg_msec=50", "--log_unix_epoch=1", "--output=/dev/null"], cwd=folder)
        time.sleep(2)

    def rates(self):
        """[(time of day in seconds, reads per second)]; ends fio."""
        self.process.terminate()
        self.process.wait(20)
        lines = read_text(self.log + "_iops.1.log").splitlines()
        return [(int(line.split(",")[0]) / 1000, float(line.split(",")[1])) for line in lines]


def family(pid):
    """A process and its descendants."""
    found = [pid]
    for each in found:
        for tid in os.listdir(f"/proc/{each}/task"):
            found += [int(word) for word in read_text(f"/proc/{each}/task/{tid}/children").split()]
    return found


class Watch:
    """A watch of fio that can be stopped and continued."""

    def __init__(self, fio, workspace, blind):
        self.process = subprocess.Popen(
            [BINARY, "watch", "--pid", str(fio.process.pid), "--quiet", "-o",
             workspace.new("cost") + ".d"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=old_kernel.become_old if blind else None)
        time.sleep(SETTLE_S)

    def tell(self, number):
        for pid in family(self.process.pid):
            os.kill(pid, number)

    def end(self):
        """True when it watched until now."""
        alive = self.process.poll() is None
        if alive:
            self.tell(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        return alive


def mean_between(rates, begin, end):
    return statistics.fmean(value for at, value in rates if begin + EDGE_S <= at < end - EDGE_S)


def measure(folder, workspace, blind, pairs):
    """For each watched slice its rate over the mean of the slices around it."""
    fio = Fio(folder)
    watch = Watch(fio, workspace, blind)
    edges = []
    for number in range(2 * pairs + 1):
        watch.tell(signal.SIGCONT if number % 2 else signal.SIGSTOP)
        edges.append(time.time())
        time.sleep(SLICE_S)
    edges.append(time.time())
    if not watch.end():
        raise RuntimeError("the watch ended by itself")
    rates = fio.rates()
    slices = [mean_between(rates, begin, end) for begin, end in zip(edges, edges[1:])]
    return ratios(slices)


def judge(checks, name, found):
    limit = LIMITS[name]
    slower, error, doubt = slow_down(found)
    checks.row(f"slow-down of a watched fio, {name}, median of {len(found)} slices",
               f"{slower:.4f} ± {error:.4f}", f"<= {limit}")
    # A few slices cannot tell half a percent from noise; what is surely too slow they can.
    doubt = doubt if len(found) < 200 else error
    checks.check(f"a watched fio is not slowed down, {name}", slower - doubt <= limit,
                 f"slower by {slower:.4f} ± {error:.4f}, limit {limit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=50)
    options = parser.parse_args()
    with Checks("watch_cost", 60 + options.pairs * 4) as checks:
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
