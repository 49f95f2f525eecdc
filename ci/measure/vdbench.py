#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vdbench's parameter files, run as a user of vdbench would: rows and files as its parsers expect
them, numbers that are true, data validation that finds damage, rows on the wall clock while
everything stands still, and bad input or a bad target said in one line."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Workspace, read_text  # noqa: E402
from vdbench_lab import (  # noqa: E402
    MEBIBYTE, PACED, QUIET, Folder, FrozenFileSystem, averages, ended, flat, near, rows, start,
    verdict, worker_of)

def raw_runs(checks, folder, space):
    result = ended(folder, space, (
        "sd=sd1,lun=@/one,size=64m,threads=4", "sd=sd2,lun=@/two,size=32m,threads=2",
        "wd=wd1,sd=sd1,xfersize=(4k,50,8k,50),rdpct=70,skew=75",
        "wd=wd2,sd=sd2,xfersize=4k,seekpct=seq,skew=25",
        "rd=rd1,wd=wd*,iorate=2000,elapsed=4,interval=1,warmup=1",
        "rd=rd2,wd=wd*,iorate=max,elapsed=3,interval=1"))
    checks.check("a run of two SDs ends with 0", result.code == 0, result.describe())
    found = rows(result.out)
    checks.check("an interval has a row of 15 fields",
                 len(found.get("rd1", [])) == 5 and len(found.get("rd2", [])) == 3,
                 str({name: len(each) for name, each in found.items()}))
    means = dict(averages(result.out))
    first = means.get("rd1", [""] * 15)
    checks.check("the rate is what was asked for", near(first[2] or 0, 2000, 0.05), str(first))
    checks.check("sizes and reads are as asked for",
                 near(first[4] or 0, 5632, 0.03) and near(first[5] or 0, 77.5, 0.03), str(first))
    checks.check("warmup is outside of the average", first[1:2] == ["avg_2-5"], str(first))
    checks.check("files are made as large as their SD says",
                 os.path.getsize(folder.file("one")) == 64 * MEBIBYTE, "")
    names, lines = flat(result.run_dir)
    checks.check("flatfile.html has 34 columns in every line",
                 len(names) == 34 and lines and all(len(line) == 34 for line in lines),
                 f"{len(names)} names, {sorted({len(line) for line in lines})} fields")
    share = share_of(result.run_dir, "wd1")
    checks.check("skew is kept at a rate and at max", all(near(each, 75, 0.03) for each in share),
                 str(share))
    pages = ("summary", "totals", "status", "errorlog", "logfile", "histogram", "parmfile", "sd1")
    missing = [page for page in pages
               if not os.path.exists(os.path.join(result.run_dir, page + ".html"))]
    checks.all("vdbench's pages are there", missing)
    checks.check("status.html says how far it is",
                 "\tStarting\tRD=rd1" in read_text(os.path.join(result.run_dir, "status.html"))
                 and "Vdbench complete" in read_text(os.path.join(result.run_dir, "status.html")),
                 "")
    doc = verdict(result)
    checks.check("the verdict says how the I/O was made",
                 doc.get("verdict") == "pass" and doc["settings"]["engine"] == "psync"
                 and doc["settings"]["buffers"] == "heap", str(doc.get("settings")))


def share_of(run_dir, wd):
    """Of each average: the percentage of its I/Os that one workload made."""
    def rates(page):
        return [float(line.split("avg_")[1].split()[1]) for line in
                read_text(os.path.join(run_dir, page + ".html")).splitlines() if "avg_" in line]
    # The format's average stands in the totals only.
    totals = rates("totals")
    mine = rates(wd)
    return [100 * one / of for one, of in zip(mine, totals[len(totals) - len(mine):])]


def curve(checks, folder, space):
    result = ended(folder, space, (
        "sd=sd1,lun=@/one,size=64m,threads=4", "wd=wd1,sd=sd1,xfersize=4k",
        "rd=rd1,wd=wd1,iorate=curve,curve=(10,50),elapsed=2,interval=1"), "--engine", "io_uring")
    means = [(name, float(line[2])) for name, line in averages(result.out)]
    good = len(means) == 3 and near(means[1][1], means[0][1] * 0.1, 0.08) \
        and near(means[2][1], means[0][1] * 0.5, 0.08)
    checks.check("a curve's points are shares of what was measured", result.code == 0 and good,
                 f"{result.describe()} {means}")
    checks.check("io_uring is named with its buffers",
                 verdict(result).get("settings", {}).get("buffers") == "registered", "")


VALIDATED = ("sd=sd1,lun=@/dv,size=64m,threads=4", "wd=wd1,sd=sd1,xfersize=4k,rdpct=50",
             "rd=rd1,wd=wd1,iorate=max,elapsed=3,interval=1",
             "rd=rd2,wd=wd1,iorate=max,elapsed=2,interval=1,pause=3")


def validation(checks, folder, space):
    result = ended(folder, space, VALIDATED, "-v")
    checks.check("data validation of a good file finds nothing", result.code == 0
                 and "key blocks marked in error: 0" in result.out, result.describe())
    started = start(folder, space, VALIDATED, "-v")
    started.wait_event(20, event="run_ended", run="rd1")
    time.sleep(0.5)
    with open(folder.file("dv"), "r+b") as lun:
        lun.seek(1000 * 4096 + 600)
        lun.write(b"garbage")
        lun.seek(2000 * 4096)
        block = lun.read(4096)
        lun.seek(3000 * 4096)
        lun.write(block)
        lun.seek(4000 * 4096)
        lun.write(b"\0" * 4096)
    result = started.ended(30)
    log = read_text(os.path.join(result.run_dir, "errorlog.html"))
    for words, offset in (("corrupted data", 1000), ("misdirected", 3000), ("zeros", 4000)):
        told = re.search(rf"lba: {offset * 4096:#x} .*\n.*{words}", log)
        checks.check(f"damage is told by its kind: {words}", told is not None, log[-400:])
    checks.check("damaged blocks, and only they, end it with 157",
                 result.code == 157 and "key blocks marked in error: 3" in result.out,
                 result.describe())


def frozen_worker(checks, folder, space):
    started = start(folder, space, PACED)
    worker = worker_of(started)
    time.sleep(2.4)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(3.5)
    late = len(rows(read_text(started.base + ".out")).get("rd1", []))
    os.kill(worker, signal.SIGCONT)
    result = started.ended(30)
    checks.check("rows come on the wall clock while the worker is frozen", late >= 5,
                 f"{late} rows after 6 s")
    rates = [float(each[2]) for each in rows(result.out).get("rd1", [])]
    checks.check("a frozen interval is a row of zeros, and what was due is made up for",
                 rates.count(0.0) >= 2 and max(rates) > 600 and result.code == 0,
                 f"{rates} {result.describe()}")
    stalls = verdict(result).get("stalls", [])
    checks.check("the stall is an incident", len(stalls) == 1 and stalls[0]["resolved_ms"], stalls)
    series = read_text(os.path.join(result.run_dir, "series/rows.csv"))
    oldest = max((float(line.split(",")[6]) for line in series.splitlines()[1:]), default=0)
    checks.check("our own series show how old the oldest I/O was", oldest > 1500, str(oldest))
    started = start(folder, space, PACED, "--fail-after", "1s", "--json", command="run")
    worker = worker_of(started)
    time.sleep(1.5)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(worker, signal.SIGCONT)
    result = started.ended(30)
    checks.check("the same under `run` ends with 1", result.code == 1
                 and (result.doc or {}).get("verdict") == "fail", result.describe())
    result = ended(folder, space, (*QUIET, "rd=rd1,wd=wd1,iorate=300,elapsed=3,interval=1"),
                   "--json", command="run")
    checks.check("without a stall `run` ends with 0", result.code == 0, result.describe())


def never_ending(checks, folder, space, target):
    lines = ("sd=sd1,lun=@/ext4/lun,size=16m,threads=4,openflags=o_direct",
             "wd=wd1,sd=sd1,xfersize=4k,rdpct=0",
             "rd=rd1,wd=wd1,iorate=max,elapsed=4,interval=1")
    started = start(folder, space, lines, "--fail-after", "2s")
    worker_of(started)
    time.sleep(1.5)
    target.freeze()
    began = time.monotonic()
    result = started.ended(40)
    took = time.monotonic() - began
    target.thaw()
    checks.check("I/O that never completes ends the run in bounded time with 157",
                 result.code == 157 and took < 20, f"{result.describe()}, {took:.1f} s")
    named = verdict(result).get("reasons", [])
    checks.check("it is named with its SD, LBA and age",
                 any(re.search(r"sd=sd1 .*lba=0x[0-9a-f]+ has not completed for", each)
                     for each in named), str(named[:2]))


def too_long(checks, folder, space, target):
    lines = ("sd=sd1,lun=@/ext4/lun,size=16m,threads=4,openflags=o_direct",
             "wd=wd1,sd=sd1,xfersize=4k,rdpct=0",
             "rd=rd1,wd=wd1,iorate=max,elapsed=30,interval=1")
    started = start(folder, space, ("timeout=(1,3)", *lines), "--fail-after", "2s")
    worker_of(started)
    time.sleep(1.5)
    target.freeze()
    result = started.ended(40)
    target.thaw()
    checks.check("timeout=(1,3) reports and then aborts",
                 result.code == 157 and "timeout=1 value exceeded" in result.out
                 and "Maximum timeout=(1,3) has been reached" in result.out
                 and result.seconds < 20, result.describe())


def failing_target(checks, folder, space):
    lines = (*QUIET, "rd=rd1,wd=wd1,rdpct=100,iorate=max,elapsed=20,interval=1")
    started = start(folder, space, lines)
    worker_of(started)
    time.sleep(1.2)
    os.truncate(folder.file("one"), 1 * MEBIBYTE)
    result = started.ended(30)
    checks.check("short transfers are errors, and so many of them end the run",
                 result.code == 157 and "errno: 798" in result.out and result.seconds < 15
                 and "data_errors=50" in result.out, result.describe())
    os.remove(folder.file("one"))
    result = ended(folder, space, ("sd=sd1,lun=@/large,size=2g", "wd=wd1,sd=sd1",
                                   "rd=rd1,wd=wd1,iorate=max,elapsed=2,interval=1"))
    checks.check("a full file system is an error of the format",
                 result.code == 157 and "ENOSPC" in result.out, result.describe())
    os.remove(folder.file("large"))
    started = start(folder, space, (*QUIET, "rd=rd1,wd=wd1,iorate=100,elapsed=20,interval=1"))
    worker = worker_of(started)
    time.sleep(1)
    os.kill(worker, signal.SIGKILL)
    result = started.ended(20)
    checks.check("a worker that is killed is no success", result.code == 157
                 and verdict(result).get("verdict") != "pass", result.describe())
    started = start(folder, space, (*QUIET, "rd=rd1,wd=wd1,iorate=100,elapsed=20,interval=1"))
    worker_of(started)
    started.signal(signal.SIGINT)
    result = started.ended(20)
    checks.check("an interrupt ends it with 157 and an unknown verdict",
                 result.code == 157 and verdict(result).get("verdict") == "unknown",
                 result.describe())


def mounted_device(checks, folder, space, target):
    device = subprocess.run(["findmnt", "-no", "SOURCE", target.path], capture_output=True,
                            text=True, check=True).stdout.strip()
    lines = (f"sd=sd1,lun={device}", "wd=wd1,sd=sd1",
             "rd=rd1,wd=wd1,iorate=100,elapsed=2,interval=1")
    result = ended(folder, space, lines)
    checks.check("a device that is mounted is refused",
                 result.code == 157 and "in use" in result.err, result.describe())
    result = ended(folder, space, lines, "--allow-claimed-device")
    checks.check("unless it is asked for", result.code == 0, result.describe())


def refusals(checks, folder, space):
    run_line = "rd=rd1,wd=wd1,iorate=max,elapsed=2,interval=1"
    os.makedirs(folder.file("dir"), exist_ok=True)
    cases = [
        ("a lun that is missing", ("sd=sd1,lun=@/none", "wd=wd1,sd=sd1", run_line), "sd=sd1"),
        ("a lun that is a folder", ("sd=sd1,lun=@/dir", "wd=wd1,sd=sd1", run_line), "sd=sd1"),
        ("a lun that is too small", ("sd=sd1,lun=@/p.parm", "wd=wd1,sd=sd1,xfersize=64k", run_line),
         "too small"),
        ("several hosts", ("hd=a,system=localhost", "hd=b,system=localhost",
                           "sd=sd1,lun=@/one,size=8m,hd=*", "wd=wd1,sd=sd1", run_line), "hosts"),
        ("openflags nobody knows", ("sd=sd1,lun=@/one,size=8m,openflags=o_fast", "wd=wd1,sd=sd1",
                                    run_line), "o_fast"),
        ("what is not executed", ("sd=sd1,lun=@/one,size=8m", "wd=wd1,sd=sd1,priority=1", run_line),
         "not executed: priority"),
        ("journal recovery", ("journal=recover", "sd=sd1,lun=@/one,size=8m", "wd=wd1,sd=sd1",
                              run_line), "recovery"),
    ]
    for name, lines, word in cases:
        result = ended(folder, space, lines)
        told = result.err.strip().splitlines()
        checks.check(f"{name}: 157 and one line that says it",
                     result.code == 157 and len(told) == 1 and word in told[0],
                     f"{result.describe()} {told[:2]}")
    lines = ("sd=sd1,lun=@/one,size=8m", "wd=wd1,sd=sd1,priority=1", run_line)
    result = ended(folder, space, lines, "--lenient")
    checks.check("--lenient runs without it", result.code == 0, result.describe())
    result = ended(folder, space, (*QUIET, run_line), prefix=["sh", "-c", 'ulimit -n 9; exec "$@"',
                                                             "sh"])
    checks.check("out of descriptors: 157", result.code == 157 and result.err.strip(),
                 result.describe())


def extras(checks, folder, space):
    result = ended(folder, space, (
        "startcmd=(\"echo begun\",cons)", "endcmd=(\"echo over\",cons)", "monitor=@/monitor",
        "compratio=2", *QUIET, "rd=rd1,wd=wd1,iorate=100,elapsed=3,interval=1"))
    checks.check("start and end commands run, what does nothing is named",
                 result.code == 0 and "begun" in result.out and "over" in result.out
                 and "ignored: compratio=" in result.err, result.describe())
    started = start(folder, space, ("monitor=@/monitor", *QUIET,
                                    "rd=rd1,wd=wd1,iorate=100,elapsed=30,interval=1"))
    worker_of(started)
    time.sleep(1)
    with open(folder.file("monitor"), "w", encoding="utf-8") as stream:
        stream.write("end_vdbench\n")
    result = started.ended(20)
    checks.check("monitor= ends it early and well", result.code == 0 and result.seconds < 15,
                 result.describe())
    result = ended(folder, space, (*QUIET, "rd=rd1,wd=wd1,iorate=max,maxdata=1,elapsed=60,"
                                           "interval=1"))
    checks.check("maxdata= ends a run", result.code == 0 and result.seconds < 20,
                 result.describe())
    result = ended(folder, space, (
        "sd=sd1,lun=@/one,size=64m,threads=2", "wd=wd1,sd=sd1,xfersize=64k,seekpct=eof",
        "rd=rd1,wd=wd1,iorate=max,elapsed=60,interval=1"))
    checks.check("seekpct=eof ends with the file", result.code == 0 and result.seconds < 20,
                 result.describe())
    switch = "/proc/sys/kernel/io_uring_disabled"
    if not os.access(switch, os.W_OK):
        checks.skip("io_uring disabled", f"no {switch}")
        return
    before = read_text(switch).strip()
    checks.at_end(lambda: write(switch, before))
    write(switch, "2")
    result = ended(folder, space, (*QUIET, "rd=rd1,wd=wd1,iorate=100,elapsed=2,interval=1"),
                   "--engine", "io_uring")
    write(switch, before)
    checks.check("where io_uring is disabled psync does it, and that is said",
                 result.code == 0 and "using psync" in result.err
                 and verdict(result).get("settings", {}).get("engine") == "psync",
                 result.describe())


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="without curves, failing targets, "
                        "mounted devices, timeout= and the commands around a run")
    words = parser.parse_args()
    with Checks("vdbench", 300) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        folder = Folder()
        checks.at_end(folder.remove)
        before = look()
        raw_runs(checks, folder, space)
        if not words.short:
            curve(checks, folder, space)
        validation(checks, folder, space)
        frozen_worker(checks, folder, space)
        target = FrozenFileSystem(folder)
        try:
            if not words.short:
                mounted_device(checks, folder, space, target)
            never_ending(checks, folder, space, target)
            if not words.short:
                time.sleep(0.5)
                too_long(checks, folder, space, target)
        finally:
            target.remove()
        refusals(checks, folder, space)
        if not words.short:
            failing_target(checks, folder, space)
            extras(checks, folder, space)
        checks.all("the machine is as before", clean_machine(before))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
