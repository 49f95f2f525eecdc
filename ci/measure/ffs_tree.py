#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The target one can write to, under load that is not ours: fio reads back what it wrote in every
way it knows, a watch on it stays quiet, and the reported stall closes on files that were made."""

import argparse
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import foreign  # noqa: E402
import program  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace, run  # noqa: E402
from watch import ARM_AFTER_S, end_members, problems_of_stall  # noqa: E402

TREE = ("writable=yes", "store-size=512m", "file-size=1m")

VERIFIED = """
[global]
directory={mount}
size=16m
verify=crc32c
verify_fatal=1
# without it, a job that only writes and runs by time never reads
verify_backlog=256
time_based
runtime={seconds}
[direct]
ioengine=psync
direct=1
rw=randwrite
bs=4k
[buffered]
ioengine=psync
rw=randwrite
bs=1536
fsync=64
[mapped]
ioengine=mmap
rw=randwrite
bs=4k
[overlapped]
ioengine=io_uring
direct=1
iodepth=8
rw=randrw
bs=16k
"""

# One process. The mapped file is sparse and larger than the address space, so that fio maps a
# window of it and moves the window for nearly every read: the writers of mmap_lock.
STALLING = """
[global]
directory={mount}
thread
rw=randread
time_based
runtime={seconds}
norandommap
randrepeat=0
invalidate=0
[direct]
filename=direct-file
ioengine=psync
direct=1
bs=64k
numjobs=10
[mapped]
filename=mapped-file
ioengine=mmap
bs=4k
numjobs=6
"""


def fio(folder, job, mount, seconds):
    """The words that run this job."""
    path = os.path.join(folder, "job.fio")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(job.format(mount=mount, seconds=seconds))
    return ["fio", "--aux-path=" + folder, "--output-format=json",
            "--output=" + os.path.join(folder, "fio.out"), path]


def verified(checks, folder, seconds, *words):
    with foreign.FfsTarget(*TREE, *words) as target:
        ended = subprocess.run(fio(folder, VERIFIED, target.mount, seconds), capture_output=True,
                               timeout=seconds * 4 + 60, text=True, check=False)
        counters = target.stop() or {}
    jobs = (program.read_json(os.path.join(folder, "fio.out")) or {}).get("jobs", [])
    reads = {job["jobname"]: job["read"]["total_ios"] for job in jobs}
    name = " ".join(("fio reads back what it wrote", *words))
    checks.check(name, ended.returncode == 0 and "verify" not in ended.stderr
                 and len(reads) == 4 and min(reads.values()) > 500,
                 f"exit {ended.returncode}: {ended.stderr.strip()[:200]}, reads {reads}")
    checks.check(f"{name}: by the service", counters.get("writes", 0) > 1000
                 and counters.get("direct_reads", 0) > 1000, str(counters))


def quiet(checks, workspace, folder, seconds):
    before = look()
    with foreign.FfsTarget(*TREE) as target:
        ended = run(["watch"], workspace, seconds=seconds * 4 + 60,
                    after=["--", *fio(folder, VERIFIED, target.mount, seconds)])
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    checks.check("healthy, a watch on it is quiet",
                 ended.code == 0 and doc.get("verdict") == "pass" and not doc.get("stalls")
                 and not doc.get("suspected"),
                 f"{ended.describe()}; {doc.get('reasons')} {doc.get('stalls')} "
                 f"suspected {doc.get('suspected')}")
    checks.all("and the machine is as before", clean_machine(before, ended))


def make_files(mount):
    with open(os.path.join(mount, "direct-file"), "wb") as stream:
        stream.write(os.urandom(16 << 20))
    with open(os.path.join(mount, "mapped-file"), "wb") as stream:
        stream.truncate(200 << 40)


def stalls(checks, workspace, folder, behaviour):
    before = look()
    with foreign.FfsTarget(*TREE) as target:
        make_files(target.mount)
        started = Started(["watch", "--give-up-after", "1s"], workspace,
                          after=["--", *fio(folder, STALLING, target.mount, 60)])
        time.sleep(ARM_AFTER_S)
        target.arm(behaviour)
        ended = started.ended(20)
        target.heal()
        end_members(ended)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    name = f"files that were made fall into {behaviour}"
    checks.all(name, problems_of_stall(ended, doc))
    checks.all(f"{name}: machine as before", clean_machine(before, ended, started.session))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    words = parser.parse_args()
    with Checks("ffs_tree", 300 + 20 * words.seconds) as checks:
        stop_if_lacking(checks)
        workspace = Workspace()
        checks.at_end(workspace.remove)
        with tempfile.TemporaryDirectory(prefix="stallproof-tree-") as folder:
            verified(checks, folder, words.seconds)
            verified(checks, folder, words.seconds, "writeback-cache=yes")
            quiet(checks, workspace, folder, words.seconds)
            for behaviour in foreign.ARM:
                stalls(checks, workspace, folder, behaviour)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
