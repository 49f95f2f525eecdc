#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Parameter files of file systems (FSD, FWD), run as a user of vdbench would: trees are made as
they are described, operations are the ones asked for at the rate asked for, and rows come on the
wall clock."""

import argparse
import os
import signal
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Workspace, read_text  # noqa: E402
from vdbench_lab import Folder, averages, ended, flat, near, start, verdict, worker_of  # noqa: E402

TREE = "fsd=fsd1,anchor=@/tree,depth=2,width=3,files=10,sizes=(8k,50,64k,50)"
READ = "fwd=fwd1,fsd=fsd1,operation=read,xfersize=4k,fileio=random,fileselect=random,threads=4"


def files_below(path):
    """{name below path: size} of the tree's files."""
    return {os.path.relpath(os.path.join(folder, name), path):
            os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(path) for name in names if name.startswith("vdb_f")}


def formats(checks, folder, space):
    os.mkdir(folder.file("tree"))
    result = ended(folder, space, (TREE, READ + ",rdpct=70",
                                   "rd=rd1,fwd=fwd1,fwdrate=max,format=yes,elapsed=3,interval=1"))
    checks.check("a format and a run end with 0", result.code == 0, result.describe())
    made = files_below(folder.file("tree"))
    checks.check("the tree has its files, in the lowest folders, by vdbench's names",
                 len(made) == 90 and "vdb.1_1.dir/vdb.2_1.dir/vdb_f0000.file" in made
                 and all(name.count("/") == 2 for name in made), str(sorted(made)[:2]))
    checks.check("files have the sizes of the distribution",
                 set(made.values()) == {8192, 65536}
                 and 25 <= list(made.values()).count(8192) <= 65, str(set(made.values())))
    names, lines = flat(result.run_dir)
    checks.check("flatfile.html has 89 columns in every line",
                 len(names) == 89 and lines and all(len(line) == 89 for line in lines),
                 f"{len(names)} names, {sorted({len(line) for line in lines})} fields")
    runs = {line[2] for line in lines}
    checks.check("the format is a run of its own", runs == {"format_for_rd1", "rd1"}, str(runs))
    share = [line for line in averages(result.out) if line[0] == "rd1"]
    checks.check("rdpct= mixes reads and writes", share and near(share[0][1][6], 70, 0.03),
                 str(share)[:200])
    totals = read_text(os.path.join(result.run_dir, "totals.html"))
    checks.check("std_ and max_ rows stand on stdout and not in totals.html",
                 "std_2-3" in result.out and "max_2-3" in result.out and "std_" not in totals, "")
    victim = sorted(made)[7]
    before = os.stat(os.path.join(folder.file("tree"), sorted(made)[3])).st_ino
    os.remove(os.path.join(folder.file("tree"), victim))
    result = ended(folder, space, (TREE, READ, "rd=rd1,fwd=fwd1,fwdrate=100,format=restart,"
                                               "elapsed=2,interval=1"))
    again = files_below(folder.file("tree"))
    after = os.stat(os.path.join(folder.file("tree"), sorted(made)[3])).st_ino
    checks.check("format=restart makes what is missing and leaves the rest",
                 result.code == 0 and set(again) == set(made) and before == after,
                 f"{result.describe()}, {len(again)} files")


def rates(checks, folder, space):
    result = ended(folder, space, (
        TREE, READ + ",skew=80", "fwd=fwd2,fsd=fsd1,operation=getattr,threads=2,skew=20",
        "rd=rd1,fwd=(fwd1,fwd2),fwdrate=2000,elapsed=5,interval=1"))
    means = averages(result.out)
    checks.check("fwdrate= is kept", result.code == 0 and means
                 and near(means[0][1][2], 2000, 0.05), f"{result.describe()} {means[:1]}")

    def rate(page):
        text = read_text(os.path.join(result.run_dir, page + ".html"))
        lines = [line.split() for line in text.splitlines() if "avg_" in line]
        return float(lines[0][2]) if lines else 0

    whole = rate("fwd1") + rate("fwd2")
    checks.check("skew= of workloads is kept", whole and near(rate("fwd1") / whole, 0.8, 0.03),
                 f"{rate('fwd1')} of {whole}")
    result = ended(folder, space, (
        TREE, "fwd=fwd1,fsd=fsd1,operation=write,xfersize=4k,threads=2",
        "rd=rd1,fwd=fwd1,fwdrate=max,foroperations=(getattr,open,read),elapsed=2,interval=1"))
    checks.check("foroperations= makes a run of each", result.code == 0
                 and [name for name, _ in averages(result.out)].count("rd1") == 3,
                 result.describe())


def troubles(checks, folder, space):
    line = "rd=rd1,fwd=fwd1,fwdrate=max,elapsed=2,interval=1"
    result = ended(folder, space, (TREE.replace("/tree", "/none"), READ, line))
    checks.check("a missing anchor is said and ends with 157",
                 result.code == 157 and "none" in result.out + result.err, result.describe())
    result = ended(folder, space, ("create_anchors=yes", TREE.replace("/tree", "/made"), READ,
                                   line.replace("max,", "max,format=yes,")))
    checks.check("create_anchors=yes makes it",
                 result.code == 0 and len(files_below(folder.file("made"))) == 90,
                 result.describe())
    large = TREE.replace("/tree", "/large").replace("sizes=(8k,50,64k,50)", "sizes=64m")
    result = ended(folder, space, ("create_anchors=yes", large, READ,
                                   line.replace("max,", "max,format=yes,")))
    checks.check("a full file system ends the format", result.code == 157
                 and "ENOSPC" in result.out + result.err, result.describe())
    started = start(folder, space, (TREE, READ, "rd=rd1,fwd=fwd1,fwdrate=500,elapsed=8,interval=1"),
                    "--fail-after", "1s", "--json", command="run")
    worker = worker_of(started)
    time.sleep(2)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(worker, signal.SIGCONT)
    result = started.ended(30)
    checks.check("a frozen worker is a failing stall", result.code == 1
                 and len((result.doc or {}).get("stalls", [])) == 1, result.describe())
    result = ended(folder, space, ("data_errors=5", TREE, READ, line.replace("=2,", "=20,")), "-v")
    checks.check("validation of files is said to be missing",
                 result.code == 157 and "not executed: validate" in result.err, result.describe())
    checks.check("no verdict without a run", not verdict(result), str(verdict(result))[:80])


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    with Checks("vdbench_files", 200) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        folder = Folder()
        checks.at_end(folder.remove)
        before = look()
        formats(checks, folder, space)
        rates(checks, folder, space)
        troubles(checks, folder, space)
        checks.all("the machine is as before", clean_machine(before))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
