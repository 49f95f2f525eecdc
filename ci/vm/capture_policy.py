#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--on-stall in guests: sysrq gives the kernel's own words and leaves its settings as they were,
also after SIGKILL; panic is refused with the reason, or leaves a vmcore that names the run."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import guest  # noqa: E402
import initramfs  # noqa: E402
import kernel_package  # noqa: E402
import qemu  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from kmod_evidence import read, tasks_of_sysrq  # noqa: E402
from places import TOP  # noqa: E402

PROGRAM = os.environ.get("STALLPROOF", os.path.join(TOP, "build/dev/harness/cmd/stallproof"))
PARTS = ("alone", "armed", "crash")
# The thread that waits for the lock of its client, and where; sysrq-w shows it in state D.
WAITER, WAITS_IN = "dataio_srv", ("down_read_killable", "down_read", "rwsem_down_read_slowpath")


class Part:
    """What one guest left in its share."""

    def __init__(self, share):
        self.share = share

    def text(self, *names):
        return read(os.path.join(self.share, *names[:-1]), names[-1])

    def code(self, case):
        return self.text(case + ".code").strip()

    def verdict(self, case):
        try:
            return json.loads(self.text(case, "verdict.json"))
        except ValueError:
            return {}

    def captures(self, case):
        return self.verdict(case).get("captures") or {}

    def said(self, case):
        return f"exit {self.code(case)}, {self.text(case + '.err')[-300:]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument("--package", default=kernel_package.META, help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the guests' evidence there")
    words = parser.parse_args()
    checks = Checks("capture_policy", 700)
    with checks:
        prove(checks, words)
    return checks.code


def prove(checks, words):
    try:
        qemu.program()
        initramfs.find("kexec", "kexec-tools")
        initramfs.find("makedumpfile", "makedumpfile")
        kernel = kernel_package.current(words.package)
    except VmError as error:
        if error.code == LACKS_MEANS:
            checks.skip("everything", str(error))
            return
        raise
    top = words.keep or tempfile.mkdtemp(prefix="stallproof-measure-")
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(top, ignore_errors=True))
    for name in words.part or PARTS:
        share = os.path.join(top, name)
        os.makedirs(share)
        ended = guest.run(kernel, script(name), guest.Options(
            share=share, console=os.path.join(share, "console.log"), seconds=280,
            memory_mib=1536, programs=[stripped(share)], words=["log_buf_len=4M"],
            kdump=None if name == "alone" else "-l -d 31"))
        checks.row(f"guest `{name}`, boot to end", f"{ended.seconds:.0f} s", "280 s")
        JUDGES[name](checks, Part(share), ended)


def stripped(folder):
    """The program without what a debugger needs: it must fit into the crash kernel, too."""
    target = os.path.join(folder, "stallproof")
    subprocess.run([initramfs.find("strip", "binutils"), "-o", target, PROGRAM], check=True,
                   timeout=60)
    return target


def script(part):
    return f"set -- {part}\n" + read(HERE, "capture_policy_guest.sh")


def judge_alone(checks, part, ended):
    checks.check("the guest's script ran to its end", ended.code == 0, f"exit {ended.code}")
    judge_sysrq(checks, part)
    before = part.text("settings-before")
    checks.check("kernel.sysrq and the console level are as before",
                 before.startswith("176\n4\t") and part.text("settings-after") == before,
                 f"{before!r}, then {part.text('settings-after')!r}")
    checks.check("killed while they were changed: the next command puts them back and leaves "
                 "nothing", part.text("settings-killed").startswith("1\n1\t") and
                 part.text("settings-next") == before and part.text("leftovers") == "",
                 f"killed {part.text('settings-killed')!r}, next {part.text('settings-next')!r}, "
                 f"{part.text('next.err')[-300:]!r}, left {part.text('leftovers')!r}")
    checks.check("a full disk: said, never green, and the settings are as before",
                 part.code("full") == "3" and "No space left" in part.text("full.err") and
                 part.text("settings-full") == before, part.said("full"))
    judge_others(checks, part)
    for case, code, words in (
            ("no-leave", "2", "--allow-crash"),
            ("no-crash-kernel", "3", "no crash kernel is loaded"),
            ("only-leave", "2", "only --on-stall panic crashes")):
        refused(checks, part, case, code, words)
    checks.check("doctor says what is there and what is not",
                 "kernel.sysrq = 176" in part.text("doctor.out") and
                 "--on-stall panic is refused" in part.text("doctor.out"),
                 part.text("doctor.out")[-600:])


def judge_sysrq(checks, part):
    report = part.text("sysrq", "incidents", "001", "sysrq.txt")
    waiters = [task for task in tasks_of_sysrq(report)
               if task.comm.startswith(WAITER) and task.state == "D"]
    checks.check("sysrq: the stall is reproduced as ever", part.code("sysrq") == "0",
                 part.said("sysrq"))
    checks.check("sysrq.txt is the kernel's list of blocked tasks, with the waiting service",
                 "Show Blocked State" in report and waiters and
                 all(any(name in task.frames for name in WAITS_IN) for task in waiters),
                 f"{len(report)} bytes, {[(t.comm, t.state, t.frames[:6]) for t in waiters[:2]]}")
    checks.check("with processors, memory and, in a large log, all tasks",
                 all(words in report for words in ("Show backtrace of all active CPUs",
                                                   "Show Memory", "Show State")),
                 report[-300:])
    captures = part.captures("sysrq")
    checks.check("the verdict says that it was taken", captures.get("policy") == "sysrq" and
                 captures.get("problems") == [] and captures.get("taken", 0) >= 5, str(captures))
    sources = part.text("sysrq", "incidents", "001", "sources.json")
    checks.check("pressure, disks, memory and FUSE connections of that moment are beside it",
                 all(name in sources for name in ("pressure.txt", "diskstats.txt", "memory.txt",
                                                  "fuse.txt", "sysrq.txt")), sources[:300])


def judge_others(checks, part):
    for case, code in (("watched", "1"), ("planned", "0")):
        stalls = part.verdict(case).get("stalls", [])
        report = part.text(case, "incidents", "001", "sysrq.txt")
        checks.check(f"{case}: its stall has the kernel's own words too",
                     part.code(case) == code and len(stalls) >= 1 and
                     "Show Blocked State" in report, part.said(case) + str(stalls)[:300])
    problems = part.captures("mute").get("problems", [])
    checks.check("a kernel that does not answer: said, and the run passes as ever",
                 part.code("mute") == "0" and len(problems) == 1 and
                 "incident 001: sysrq.txt: the kernel took the question" in problems[0],
                 part.said("mute") + str(problems))


def refused(checks, part, case, code, words):
    err = part.text(case + ".err")
    checks.check(f"refused in one line before anything begins: {case}",
                 part.code(case) == code and words in err and err.count("\n") == 1 and
                 not os.path.exists(os.path.join(part.share, case)), part.said(case))


def judge_armed(checks, part, ended):
    checks.check("the guest's script ran to its end", ended.code == 0, f"exit {ended.code}")
    refused(checks, part, "no-room", "3", "are free where the run's files go")
    short = part.verdict("short")
    checks.check("a stall below the failing threshold takes no panic",
                 len(short.get("stalls", [])) == 1 and not short["stalls"][0]["failing"] and
                 part.captures("short").get("crash") == "not crashed: no failing stall",
                 part.said("short") + str(part.captures("short")))
    crash = part.captures("disarmed").get("crash") or ""
    checks.check("a crash kernel that went away: refused at the stall, and the run ends as ever",
                 part.text("crash-kernel-after") == "0\n" and part.code("disarmed") == "0" and
                 "incident 001: no crash kernel is loaded" in crash,
                 part.said("disarmed") + crash)
    told = part.text("disarmed.err").count("not crashed")
    checks.check("the question is asked once per run", told == 1, f"told {told} times")
    manifest = part.text("disarmed", "manifest.json")
    checks.check("the manifest of a run that ended says so", '"state": "ended"' in manifest,
                 manifest)
    checks.check("doctor sees the crash kernel", "a crash kernel is loaded" in
                 part.text("doctor.out"), part.text("doctor.out")[-600:])


def judge_crash(checks, part, ended):
    dump = os.path.join(part.share, "vmcore")
    log = kernel_log_of(dump)
    checks.check("the failing stall panics the guest, and the vmcore is there",
                 ended.code is None and ended.dumped == 0 and "Kernel panic" in log,
                 f"exit {ended.code}, {part.said('panic')}, {ended.tail[-300:]!r}")
    try:
        manifest = json.loads(part.text("panic", "manifest.json"))
    except ValueError:
        manifest = {}
    checks.check("the manifest was on disk before, with the incident",
                 manifest.get("state") == "crashing" and
                 (manifest.get("incident") or {}).get("class") == "mmap_lock_cycle",
                 str(manifest))
    line = f"stallproof: run={manifest.get('run')} boot={manifest.get('boot_id')} incident=001"
    at = log.find(line)
    checks.check("the log in the vmcore names run, boot and incident, before the panic",
                 0 <= at < log.find("Kernel panic"), f"{line!r} at {at}")
    checks.check("and so does the console", line in part.text("console.log"),
                 part.text("console.log")[-400:])
    folder = os.path.join(part.share, "panic", "incidents", "001")
    missing = [name for name in ("explanation.json", "snapshot.json", "stacks.txt", "sysrq.txt",
                                 "sources.json", "incident.json")
               if not read(folder, name)]
    checks.all("its evidence was on disk before", missing)
    checks.check("what was seen last is in events.jsonl", '"event":"crash_asked"' in
                 part.text("panic", "events.jsonl"), part.text("panic", "events.jsonl")[-300:])
    judge_postmortem(checks, part, dump, str(manifest.get("run")))


def judge_postmortem(checks, part, dump, run):
    """The node is up again: its dump lies where kdump puts it, its run where it was."""
    root = os.path.join(part.share, "disk")
    place = os.path.join(root, "var/crash/127.0.0.1-2026-11-26-10:21:07")
    directory = os.path.join(root, "var/lib/stallproof/runs", run)
    os.makedirs(place)
    os.symlink(dump, place + "/vmcore")
    os.symlink(dump + ".log", place + "/vmcore-dmesg.txt")
    if os.path.isdir(left := os.path.join(part.share, "panic")):
        shutil.copytree(left, directory)
    done = subprocess.run([PROGRAM, "postmortem", "--root", root, "--json"], capture_output=True,
                          text=True, timeout=120, check=False)
    verdict = read(directory, "verdict.json")
    document = json.loads(verdict) if verdict else {}
    stalls = [stall.get("class") for stall in document.get("stalls", [])]
    checks.check("postmortem closes the run: the node died, of the stall that its dump shows",
                 done.returncode == 1 and stalls == ["mmap_lock_cycle"] and
                 document["reasons"][0].startswith("node_died, vmcore="),
                 f"exit {done.returncode}: {stalls} {done.stderr[-300:]} {done.stdout[-600:]}")
    checks.check("and ties the dump to the run by the line in its kernel log",
                 "by the run's line" in done.stdout, done.stdout[-600:])


def kernel_log_of(dump):
    """The crashed kernel's own log; '' when it cannot be read."""
    if not os.path.exists(dump):
        return ""
    program = initramfs.find("makedumpfile", "makedumpfile")
    target = dump + ".log"
    subprocess.run([program, "--dump-dmesg", dump, target], capture_output=True, timeout=60,
                   check=False)
    return read(os.path.dirname(dump), os.path.basename(target))


JUDGES = {"alone": judge_alone, "armed": judge_armed, "crash": judge_crash}

if __name__ == "__main__":
    sys.exit(main())
