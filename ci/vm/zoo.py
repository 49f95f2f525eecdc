#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scenarios that need a guest, each variant and fix of them in one, by the catalogue's own
table: reproduced and explained as promised, quiet where it says so, undone after SIGKILL, refused
in one line where something is missing. And the FUSE scenarios of the host on the guest's kernel."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
CI = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(CI, "measure"), os.path.join(CI, "zoo")]

import cases as table  # noqa: E402
import guest  # noqa: E402
import initramfs  # noqa: E402
import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import qemu  # noqa: E402
import zoo_judge as judge  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from kmod_evidence import read  # noqa: E402
from program import BINARY  # noqa: E402

# What a scenario's name begins with: the group that shares a guest, and what is loaded there.
GROUPS = {"kmod": ("kmod-", "load_ffs none"), "device": ("dm-|jbd2-", "load_dm"),
          "null": ("blk-", "load_null"), "nbd": ("nbd-", "load_nbd"), "nfs": ("nfs-", "load_nfs"),
          "fuse": ("mmap-lock-|fuse-|loop-on-dead-", "load_fuse")}
ON_THE_HOST_TOO = ("fuse",)
KILLED = {"kmod": ("kmod-hold-mmap-write", "kmod-mmap-lock"), "device": ("jbd2-commit",),
          "null": ("blk-timeout",), "nbd": ("nbd-dead",), "nfs": ("nfs-server-gone",), "fuse": ()}
# Asked for before anything is loaded: parts of the one line that is said.
REFUSED = {"kmod": ("kmod-mmap-lock", ("ffs_stub", "insmod")),
           "device": ("dm-suspended", ("device-mapper", "modprobe dm_mod")),
           "null": ("blk-timeout", ("null_blk", "modprobe null_blk")),
           "nbd": ("nbd-dead", ("nbd", "modprobe nbd")),
           "nfs": ("nfs-server-gone", ("nfsd", "modprobe"))}
# Stalls that a kernel does not have, by how its release begins.
NOT_THERE = {("fuse-audit-cmdline", ("6.1.", "6.12.")):
             "FUSE writes back through pages of its own there (fuse_wait_on_page_writeback): the "
             "end of a mapping does not wait for the write, the next page_mkwrite does"}
SECONDS_PER_CASE = 25


class Run:
    """A case of the table as a line of the guest's list."""

    def __init__(self, name, prepare, words, wanted_class="", quiet=False, kind="case"):
        self.name, self.prepare, self.words = name, prepare, words
        self.wanted_class, self.quiet, self.kind = wanted_class, quiet, kind

    def line(self):
        return f"{self.name}|{self.prepare}|{' '.join(self.words)}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=BINARY,
                        help="what runs in the guest (default: %(default)s)")
    parser.add_argument("--group", action="append", choices=GROUPS, help="default: all")
    parser.add_argument("--scenario", action="append", help="only these of the groups")
    parser.add_argument("--short", action="store_true", help="one stall and one quiet case of each")
    parser.add_argument("--package", default=kernel_package.META, help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the guests' evidence there")
    words = parser.parse_args()
    checks = Checks("vm zoo", 3600)
    with checks:
        try:
            qemu.program()
            kernel = kernel_package.current(words.package)
        except VmError as error:
            if error.code != LACKS_MEANS:
                raise
            checks.skip("everything", str(error))
            return checks.code
        for group in words.group or GROUPS:
            prove(checks, words, kernel, group)
    return checks.code


def prove(checks, words, kernel, group):
    runs = [run for run in runs_of(words, group) if not is_skipped(checks, run, kernel.release)]
    if not runs:
        return
    share = os.path.join(words.keep, group) if words.keep else tempfile.mkdtemp(
        prefix="stallproof-measure-")
    os.makedirs(share, exist_ok=True)
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(share, ignore_errors=True))
    with open(os.path.join(share, "cases"), "w", encoding="utf-8") as stream:
        stream.writelines(run.line() for run in runs)
    programs = ["stallproof=" + words.program, initramfs.find("mkfs.ext4", "e2fsprogs")]
    if group == "kmod":
        programs.append("ffs_stub.ko=" + kernel_module.build(kernel)[0])
    limit = 60 + SECONDS_PER_CASE * len(runs)
    ended = guest.run(kernel, read(HERE, "zoo_guest.sh"), guest.Options(
        share=share, console=os.path.join(share, "console.log"), seconds=limit,
        programs=programs))
    checks.check(f"{group}: the guest's script ran to its end", ended.code == 0,
                 f"exit {ended.code}")
    checks.row(f"{group}: {len(runs)} cases, boot to power-off", f"{ended.seconds:.0f} s",
               f"{limit} s")
    for run in runs:
        judge_run(checks, run, os.path.join(share, run.name))


def is_skipped(checks, run, release):
    """Of a stall that this kernel does not have."""
    why = [why for (scenario, begins), why in NOT_THERE.items()
           if run.words[0] == scenario and release.startswith(begins) and not run.quiet]
    if why:
        checks.skip(f"{run.words[0]} on {release}", why[0])
    return bool(why)


def judge_run(checks, run, folder):
    if run.kind == "refused":
        scenario = run.words[0]
        parts = next(parts for name, parts in REFUSED.values() if name == scenario)
        checks.all(f"{scenario} without what it needs: one line", judge.refusal(folder, parts))
    elif run.kind == "killed":
        checks.all(f"{run.words[0]}, killed while it stands: the next start undoes it",
                   judge.killed(folder))
    else:
        checks.all(f"{' '.join(run.words[:3])}: " + ("quiet" if run.quiet else run.wanted_class),
                   judge.case(folder, run.wanted_class, run.quiet))
        if judge.turns(folder) > 1:
            checks.row(f"{' '.join(run.words[:3])}: turns", str(judge.turns(folder)),
                       "1, where the host is idle")
        if not run.quiet:
            checks.row(f"{' '.join(run.words[:3])}", judge.told(folder), run.wanted_class)


def runs_of(words, group):
    prefixes, prepare = GROUPS[group]
    chosen = [case for case in listed(words.program, "host" if group in ON_THE_HOST_TOO else "VM")
              if case.scenario.startswith(tuple(prefixes.split("|"))) and
              (not words.scenario or case.scenario in words.scenario)]
    if words.short or group == "fuse":  # of which every variant is run on the host
        chosen = table.one_of_each(chosen)
    if not chosen:
        return []
    runs = []
    if group in REFUSED and not words.scenario:
        runs.append(Run("refused", "load_nothing", [REFUSED[group][0]], kind="refused"))
    runs += [run_of(case, prepare) for case in chosen]
    for scenario in KILLED[group]:
        if not words.scenario or scenario in words.scenario:
            runs.append(Run("killed-" + scenario, prepare, [scenario], kind="killed"))
    return runs


def run_of(case, prepare):
    if case.kind == "--fix" and prepare.startswith("load_ffs"):
        prepare = "load_ffs " + case.name
    expected = ["--expect", "quiet", "--deadline", "4s"] if case.quiet else ["--expect", "stall"]
    return Run(f"{case.scenario}-{case.name}", prepare, case.words()[1:] + expected,
               case.told_class, case.quiet)


def listed(program, where):
    shown = subprocess.run([program, "list", "scenarios", "--json"], capture_output=True,
                           text=True, timeout=20, check=True)
    return table.cases(json.loads(shown.stdout), where)


if __name__ == "__main__":
    sys.exit(main())
