# SPDX-License-Identifier: Apache-2.0
"""What being watched costs: 4k random reads of fio on a tmpfs of its own, depth 32, watched and not
watched in turn, as the ratio of the medians of what fio completed."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import old_kernel
from checks import Checks
from judge import median
from program import BINARY, Workspace

SECONDS = 3
LIMITS = {"with BPF": 0.02, "without BPF": 0.005}


def fio_command(folder):
    return ["fio", "--name=cost", f"--filename={folder}/data", "--size=256m", "--rw=randread",
            "--bs=4k", "--ioengine=libaio", "--iodepth=32", "--time_based", f"--runtime={SECONDS}",
            "--norandommap", "--randrepeat=0", "--output-format=json"]


def rate(text):
    """Reads per second by fio's own account."""
    return json.loads(text[text.index("{"):])["jobs"][0]["read"]["iops"]


def bare(folder):
    ended = subprocess.run(fio_command(folder), capture_output=True, text=True, check=True,
                           timeout=60)
    return rate(ended.stdout)


def watched(folder, workspace, blind):
    """fio runs outside of the filter, beside a watch --pid: only the watch has no BPF."""
    fio = subprocess.Popen(fio_command(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True)
    watch = subprocess.Popen(
        [BINARY, "watch", "--pid", str(fio.pid), "--quiet", "-o", workspace.new("cost") + ".d"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=old_kernel.become_old if blind else None)
    out, _ = fio.communicate(timeout=60)
    code = watch.wait(20)
    if code not in (0, 3):
        raise RuntimeError(f"watch ended with {code}")
    return rate(out)


def pairs(checks, folder, workspace, name, count):
    ratios = []
    for number in range(count):
        # In turn: the machine's own ups and downs hit both alike.
        if number % 2 == 0:
            alone = bare(folder)
            with_watch = watched(folder, workspace, name == "without BPF")
        else:
            with_watch = watched(folder, workspace, name == "without BPF")
            alone = bare(folder)
        ratios.append(with_watch / alone)
    slower, limit = 1 - median(ratios), LIMITS[name]
    spread = (max(ratios) - min(ratios)) / 2
    checks.row(f"slow-down of a watched fio, {name}, median of {count} pairs", f"{slower:.4f}",
               f"<= {limit} (single pairs vary by ±{spread:.3f})")
    # A few pairs cannot tell 0.5 % from noise: the short form only refuses what is clearly too slow.
    noise = spread / count ** 0.5 if count < 20 else 0
    checks.check(f"a watched fio is not slowed down, {name}", slower <= limit + noise,
                 f"slower by {slower:.4f}, limit {limit} + noise {noise:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4)
    options = parser.parse_args()
    with Checks("watch_cost", 60 + options.pairs * 20) as checks:
        workspace = Workspace()
        checks.at_end(workspace.remove)
        folder = tempfile.mkdtemp(prefix="stallproof-cost-", dir="/run")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", folder], check=True,
                       timeout=10)
        checks.at_end(lambda: (subprocess.run(["umount", "-l", folder], check=False, timeout=10),
                               os.rmdir(folder)))
        bare(folder)
        for name in LIMITS:
            pairs(checks, folder, workspace, name, options.pairs)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
