#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run whose node died gets its verdict from what the dead kernel left, in every layout that kdump
writes, without one, and never twice; so does a run whose controller was killed on a living node.
A real dump: vmcore.py, and the whole way from the stall on in ci/vm/capture_policy.py."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, lacking_means  # noqa: E402
from program import BINARY, Started, Workspace, read_json  # noqa: E402

DEAD = "11111111-1111-4111-8111-111111111111"
OTHER = "33333333-3333-4333-8333-333333333333"
QUIET = '{"t_ms":12.0,"event":"load_started"}\n'
STANDING = QUIET + ('{"t_ms":4000.5,"event":"stall","incident":"001","onset_ms":3000,'
                    '"detected_ms":4000}\n{"t_ms":41')


class Disk:
    """The disk of a node that died an hour ago."""

    def __init__(self, space, name):
        self.root = space.new(name)
        self.died = time.time() - 3600

    def put(self, path, content, after_s=60):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as stream:
            stream.write(content)
        os.utime(whole, (self.died + after_s, self.died + after_s))
        return whole

    def run(self, name, events=QUIET, boot=DEAD):
        """A run directory without a verdict."""
        at = f"var/lib/stallproof/runs/{name}"
        manifest = {"schema": 1, "run": name, "state": "running", "boot_id": boot, "node": "n1",
                    "kernel": "6.1.0", "tool_version": "0.1.0", "on_stall": "report",
                    "controller": {"pid": 4194303, "start_ticks": 7}, "labels": {"build": "1.2"},
                    "started": "2026-11-26T10:15:00.000+00:00"}
        self.put(at + "/run.id", name + "\n", 0)
        self.put(at + "/events.jsonl", events, 0)
        self.put(at + "/manifest.json", json.dumps(manifest), 0)
        return os.path.join(self.root, at)

    def ask(self, *words):
        done = subprocess.run([BINARY, "postmortem", "--root", self.root, "--json", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              check=False)
        try:
            runs = json.loads(done.stdout)["runs"]
        except (ValueError, KeyError):
            runs = []
        return done.returncode, {run["run"]: run for run in runs}, done.stderr.decode()


def line(run, boot=DEAD):
    return f"[   12.345678] Linux\n[  317.114211] stallproof: run={run} boot={boot}\n"


def debian(disk, log):
    disk.put("var/crash/202611261021/dump.202611261021", "no image")
    disk.put("var/crash/202611261021/dmesg.202611261021", log)


def rhel(disk, log):
    disk.put("var/crash/127.0.0.1-2026-11-26-10:21:07/vmcore", "no image")
    disk.put("var/crash/127.0.0.1-2026-11-26-10:21:07/vmcore-dmesg.txt", log)


def incomplete(disk, log):
    disk.put("var/crash/127.0.0.1-2026-11-26-10:21:07/vmcore-incomplete", "no im")
    disk.put("var/crash/127.0.0.1-2026-11-26-10:21:07/vmcore-dmesg.txt", log)


def pstore(disk, log):
    disk.put("var/lib/systemd/pstore/1764152467/dmesg-efi-176415246701001", "Panic#1 Part1\n" + log)


def nothing(_disk, _log):
    pass


LAYOUTS = ((debian, line("a-1"), "node_died, vmcore=", "by the run's line in its kernel log"),
           (rhel, line("a-1"), "node_died, vmcore=", "by the run's line in its kernel log"),
           (rhel, "no line of ours\n", "node_died, vmcore=", "by its time alone"),
           (rhel, line("z-9", OTHER), "node_died_no_vmcore", "not tied to the run"),
           (incomplete, line("a-1"), "dump_failed", "by the run's line in its kernel log"),
           (pstore, line("a-1"), "node_died_no_vmcore", "not tied to the run"),
           (nothing, "", "node_died_no_vmcore", "not tied to the run"))


def layouts(checks, space):
    for lay_out, log, reason, tied in LAYOUTS:
        disk = Disk(space, lay_out.__name__)
        directory = disk.run("a-1")
        lay_out(disk, log)
        code, runs, err = disk.ask()
        run = runs.get("a-1", {})
        verdict = read_json(os.path.join(directory, "verdict.json")) or {}
        checks.check(f"{lay_out.__name__}, {tied}: {reason}, unknown, exit 3",
                     code == 3 and (run.get("reasons") or [""])[0].startswith(reason) and
                     run.get("tied") == tied and verdict.get("verdict") == "unknown" and
                     verdict.get("labels") == {"build": "1.2"}, f"exit {code}: {run} {err[-200:]}")
        kept = os.path.exists(os.path.join(directory, "postmortem/kernel-log.txt"))
        wanted = bool(log) and OTHER not in log
        checks.check(f"{lay_out.__name__}, {tied}: the kernel log is kept when it is the run's",
                     kept == wanted, str(os.listdir(directory)))


def two_runs(checks, space):
    disk = Disk(space, "two")
    disk.run("a-1")
    standing = disk.run("b-2", STANDING)
    debian(disk, line("a-1"))
    code, runs, _ = disk.ask()
    checks.check("two runs of one boot: both closed, the one with a standing stall fails, exit 1",
                 code == 1 and runs["a-1"]["verdict"] == "unknown" and
                 runs["b-2"]["verdict"] == "fail" and
                 runs["b-2"]["tied"].startswith("by the line of a run of the same boot"),
                 f"exit {code}: {runs}")
    path = os.path.join(standing, "verdict.json")
    with open(path, "rb") as stream:
        before = stream.read()
    code, runs, _ = disk.ask("--run", "b-2")
    with open(path, "rb") as stream:
        after = stream.read()
    checks.check("asked again: nothing is overwritten, exit code of the verdict",
                 code == 1 and before == after and "has its verdict" in runs["b-2"]["left_alone"],
                 f"exit {code}: {runs}")
    code, runs, _ = disk.ask()
    checks.check("all closed: nothing to do, exit 0", code == 0 and not runs, f"exit {code} {runs}")
    code, _, err = disk.ask("--run", "no-such-run")
    checks.check("no such run: exit 2 and one line", code == 2 and err.count("\n") == 1, err)


def real_dump(checks, space, vmcore):
    """`vmcore`: of the reported stall."""
    disk = Disk(space, "dump")
    directory = disk.run("a-1")
    rhel(disk, line("a-1"))
    target = os.path.join(disk.root, "var/crash/127.0.0.1-2026-11-26-10:21:07/vmcore")
    os.remove(target)
    os.symlink(os.path.abspath(vmcore), target)
    code, runs, err = disk.ask()
    run = runs.get("a-1", {})
    verdict = read_json(os.path.join(directory, "verdict.json")) or {}
    stalls = verdict.get("stalls", [])
    checks.check("a dump that shows the closed circle: fail, exit 1, its signature",
                 code == 1 and verdict.get("verdict") == "fail" and len(stalls) == 1 and
                 stalls[0]["signature"].startswith("mmap_lock_cycle:") and
                 run.get("signature") == stalls[0]["signature"],
                 f"exit {code}: {run} {err[-300:]}")
    explanation = read_json(os.path.join(directory, "postmortem/explanation.json")) or {}
    checks.check("and it is explained in the run's directory", bool(explanation.get("cycle")),
                 str(explanation)[:200])


def killed_controller(checks, space):
    reason = lacking_means()
    if reason:
        return checks.skip("a killed controller", reason)
    load = subprocess.Popen(["sleep", "30"], start_new_session=True)
    checks.at_end(load.kill)
    started = Started(["watch", "--pid", str(load.pid), "--label", "build=9",
                       "--fail-after", "77s"], space)
    manifest = os.path.join(started.run_dir, "manifest.json")
    deadline = time.monotonic() + 20
    while not os.path.exists(manifest) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    state = {**os.environ, "STALLPROOF_STATE_DIR": space.new("state")}

    def ask():
        done = subprocess.run([BINARY, "postmortem", "--run", started.run_dir, "--json"],
                              capture_output=True, env=state, timeout=60, check=False)
        runs = json.loads(done.stdout)["runs"] if done.stdout else [{}]
        return done.returncode, runs[0], done.stderr.decode()

    code, run, err = ask()
    checks.check("a run that goes on is left alone", code == 3 and run.get("verdict") is None and
                 "goes on" in run.get("left_alone", ""), f"exit {code}: {run} {err[-200:]}")
    started.signal(signal.SIGKILL)
    started.wait(10)
    time.sleep(0.2)
    code, run, err = ask()
    verdict = read_json(os.path.join(started.run_dir, "verdict.json")) or {}
    checks.check("and judged by the thresholds of its command line",
                 (verdict.get("thresholds") or {}).get("fail_after_ms") == 77000,
                 str(verdict.get("thresholds")))
    return checks.check("a killed controller on a living node: closed as unknown, with its labels",
                        code == 3 and run.get("ended") == "controller_died" and
                        verdict.get("labels") == {"build": "9"} and
                        verdict["reasons"][0].startswith("controller_died"),
                        f"exit {code}: {run} {err[-200:]}")


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    with Checks("postmortem", 300) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        layouts(checks, space)
        two_runs(checks, space)
        killed_controller(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
