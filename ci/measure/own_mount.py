#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A load on somebody's own mount, and plans: quiet on healthy file systems with every load alive,
nothing left behind whatever happens, stalls found and explained, bad input said in one line."""

import argparse
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from own_mounts import MOUNTS, Ffs, LoopFs, Tmpfs, scratch_left  # noqa: E402
from processes import rss_kib  # noqa: E402
from program import Started, Workspace, read_json, run  # noqa: E402

SIZE = ("--size", "64m")
STORM = '[[process.load]]\nworkload = "mprotect-storm"\nrate = 200\n'
# Whoever of the load comes first is the writer.
REPORTED = re.compile(
    r"mmap_lock_cycle:fault_read>(mprotect|mmap|munmap|madvise)_write>service_read")


def verdict(result):
    return read_json(os.path.join(result.run_dir, "verdict.json")) or {}


def started_load(started, seconds=60):
    return started.wait_event(seconds, event="load_started") is not None


def start(mount, space, *words, **options):
    return Started(["run", "--target", mount.path, *SIZE, *words], space, **options)


def plan_file(space, text):
    path = space.new("plan") + ".toml"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def healthy(checks, space, seconds, mounts):
    for make in mounts:
        before = look()
        mount = make()
        try:
            inside = look()
            result = start(mount, space, "--duration", f"{seconds}s").ended(seconds + 60)
            doc = verdict(result)
            checks.check(f"{mount.name}: a healthy mount passes",
                         result.code == 0 and doc.get("stalls") == [],
                         f"{result.describe()} {doc.get('reasons')}")
            loads = doc.get("workloads", {})
            dead = [name for name, load in loads.items() if not load["per_second_min"]]
            checks.check(f"{mount.name}: every load is alive in every second",
                         len(loads) >= 3 and not dead, str(dead or list(loads)))
            wrong = [name for name, load in loads.items() if load["errors"] + load["mismatches"]]
            checks.check(f"{mount.name}: no operation failed, no data was wrong", not wrong,
                         str(wrong))
            checks.all(f"{mount.name}: nothing is left on it and on the machine",
                       scratch_left(mount.path) + clean_machine(inside, result))
            for name, load in loads.items():
                checks.row(f"{mount.name}: {name}, slowest second", load["per_second_min"], "> 0")
        finally:
            mount.remove()
        checks.all(f"{mount.name}: the mount itself can be removed", clean_machine(before))


def interrupted(checks, space, mount):
    for number in (signal.SIGINT, signal.SIGTERM):
        run_now = start(mount, space, "--duration", "60s")
        started_load(run_now)
        time.sleep(0.5)
        run_now.signal(number)
        result = run_now.ended(20)
        checks.check(f"{number.name} ends with 3 and says so",
                     result.code == 3 and "interrupted" in verdict(result).get("reasons", []),
                     result.describe())
        checks.all(f"nothing is left after {number.name}", scratch_left(mount.path))
    early = start(mount, space, "--duration", "60s")
    early.wait_event(10, event="child", role="client")
    early.signal(signal.SIGINT)
    result = early.ended(20)
    checks.check("SIGINT while files are prepared ends with 3", result.code == 3,
                 result.describe())
    checks.all("nothing is left after that", scratch_left(mount.path))


def killed(checks, space, mount):
    before = look()
    run_now = start(mount, space, "--duration", "60s")
    started_load(run_now)
    run_now.signal(signal.SIGKILL)
    first = run_now.ended(5)
    checks.check("SIGKILL leaves the directory for the next start",
                 len(scratch_left(mount.path)) == 1, str(scratch_left(mount.path)))
    result = start(mount, space, "--duration", "1s").ended(60)
    checks.check("the next start says what it removed",
                 ".stallproof-" in result.err and "of an earlier run" in result.err, result.err)
    checks.all("and nothing is left", scratch_left(mount.path) + clean_machine(before, first))


def unmounted(checks, space):
    mount = LoopFs("ext4")
    try:
        run_now = start(mount, space, "--duration", "4s")
        started_load(run_now)
        os.system(f"umount -l {mount.path}")
        result = run_now.ended(30)
        left = verdict(result).get("left_behind", [])
        checks.check("unmounted in mid-run: ends in time and names what is left there",
                     result.code == 3 and any("not mounted there any more" in each
                                              for each in left), f"{result.describe()} {left}")
        time.sleep(0.5)
        mount.mount()
        checks.check("and it is there when the file system comes back",
                     len(scratch_left(mount.path)) == 1, str(scratch_left(mount.path)))
    finally:
        mount.remove()


def aborted(checks, space):
    mount = Ffs()
    try:
        run_now = start(mount, space, "--duration", "6s")
        started_load(run_now)
        time.sleep(0.5)
        mount.abort()
        result = run_now.ended(40)
        checks.check("a FUSE target that dies in mid-run fails the run and ends in time",
                     result.code == 1 and not result.hung, result.describe())
    finally:
        mount.remove()


def reported_stall(checks, space):
    before = look()
    mount = Ffs("direct-open=lock-client")
    try:
        run_now = start(mount, space, "--until-stall")
        started_load(run_now)
        time.sleep(1)
        mount.arm("read-error")
        result = run_now.ended(40)
        stalls = verdict(result).get("stalls", [])
        checks.check("the reported stall on a mount that is not ours fails the run",
                     result.code == 1 and stalls, f"{result.describe()} {stalls}")
        checks.check("it is explained",
                     stalls and REPORTED.fullmatch(stalls[0]["signature"]), str(stalls[:1]))
        checks.check("it is not healed by us: the mount is still there",
                     os.path.ismount(mount.path), "")
        mount.abort()
        checks.row("stalled load: detected after the onset, ms",
                   round(stalls[0]["detected_ms"] - stalls[0]["onset_ms"]) if stalls else None,
                   "1200")
    finally:
        mount.remove()
    space_run = run(["run", plan_file(space, f'[plan]\nduration = "1s"\n[[process]]\n{STORM}'
                                             'path = "/dev/null"\n')], space)
    checks.check("a start after that is well", space_run.code == 0, space_run.describe())
    checks.all("nothing is left after it", clean_machine(before, result))


def frozen(checks, space):
    mount = LoopFs("ext4")
    try:
        run_now = start(mount, space, "--duration", "5s", "--fail-after", "30s")
        started_load(run_now)
        time.sleep(0.5)
        mount.freeze()
        run_now.wait_event(20, event="stall")  # later where threads queue for the CPUs
        mount.thaw()
        result = run_now.ended(40)
        stalls = verdict(result).get("stalls", [])
        checks.check("a stall that resolves is told and fails nothing",
                     result.code == 0 and stalls and stalls[0]["resolved_ms"] is not None,
                     f"{result.describe()} {stalls}")
        run_now = start(mount, space, "--duration", "60s", "--fail-after", "3s")
        started_load(run_now)
        time.sleep(0.5)
        mount.freeze()
        result = run_now.ended(60)
        checks.check("a stall that stays fails the run, which ends in time",
                     result.code == 1 and not result.hung, result.describe())
        checks.check("what could not be removed is named",
                     any(".stallproof-" in each for each in verdict(result).get("left_behind", [])),
                     str(verdict(result).get("left_behind")))
        mount.thaw()
        time.sleep(0.5)
        again = start(mount, space, "--duration", "1s").ended(60)
        checks.all("the next start removes it",
                   scratch_left(mount.path) + ([] if again.code == 0 else [again.describe()]))
    finally:
        mount.remove()


def processes_of_a_plan(checks, space, mount):
    plan = plan_file(space, '[plan]\nduration = "4s"\n'
                            f'[[process]]\nname = "one"\n{STORM}name = "a"\n'
                            f'[[process]]\nname = "two"\n{STORM}name = "b"\n')
    run_now = Started(["run", plan, "--target", mount.path], space)
    child = run_now.wait_event(20, event="child", role="one")
    started_load(run_now)
    time.sleep(0.8)
    os.kill(child["pid"], signal.SIGKILL)
    result = run_now.ended(30)
    doc = verdict(result)
    checks.check("a process that dies makes the verdict unknown and is named",
                 result.code == 3 and any("process one" in each for each in doc["reasons"]),
                 f"{result.describe()} {doc.get('reasons')}")
    checks.check("the other process goes on, and nothing is taken for a stall",
                 doc["workloads"]["b"]["per_second_min"] > 0 and not doc["stalls"],
                 str(doc["workloads"]))
    refused = plan_file(space, '[plan]\nduration = "2s"\n'
                               f'[[process]]\nname = "one"\n{STORM}name = "a"\nprofile = "file"\n'
                               'profile-file = "/nonexistent"\n'
                               f'[[process]]\nname = "two"\n{STORM}name = "b"\n')
    result = run(["run", refused, "--target", mount.path], space)
    doc = verdict(result)
    checks.check("a process that refuses is named, the other runs",
                 result.code == 3 and any("process one" in each for each in doc["reasons"])
                 and doc["workloads"]["b"]["ops"] > 100, f"{result.describe()}")


def many_threads(checks, space, mount):
    plan = plan_file(space, '[plan]\nduration = "3s"\n[[process]]\nname = "large"\n'
                            '[[process.load]]\nworkload = "mprotect-storm"\nthreads = 2000\n'
                            'rate = 1\n')
    run_now = Started(["run", plan, "--target", mount.path], space)
    child = run_now.wait_event(20, event="child", role="large")
    load = run_now.wait_event(20, event="load_started")
    took = load["t_ms"] - child["t_ms"]
    time.sleep(1.5)
    resident = rss_kib(child["pid"])
    result = run_now.ended(30)
    checks.check("2000 threads start within 2 s", took <= 2000, f"{took:.0f} ms")
    checks.check("they hold no more than 256 MiB", resident and resident <= 256 << 10,
                 f"{resident} KiB")
    checks.check("and the run passes", result.code == 0, result.describe())
    checks.row("2000 threads: started after, ms", round(took), "2000")
    checks.row("2000 threads: resident, MiB", round((resident or 0) / 1024), "256")


def same_plan_again(checks, space, mount):
    result = start(mount, space, "--duration", "1s").ended(60)
    saved = os.path.join(result.run_dir, "plan.toml")
    again = run(["run", saved], space)
    first, second = verdict(result)["settings"], verdict(again)["settings"]
    checks.check("the saved plan runs again as it is, with its seed",
                 again.code == 0 and first["seed"] == second["seed"], again.describe())


def bad_input(checks, space, mount):
    def refused(name, words, expected):
        result = run(["run", *words], space, no_out=True)
        lines = result.err.strip().splitlines()
        checks.check(f"refused in one line: {name}",
                     result.code == 2 and len(lines) == 1 and re.search(expected, lines[0])
                     and not scratch_left(mount.path), f"{result.describe()} {lines}")

    target = ("--target", mount.path)
    text = f"[[process]]\n{STORM}"
    refused("nothing to run", (), "nothing to run")
    refused("no such directory", ("--target", "/nonexistent"), "existing directory")
    refused("a target that is a file", ("--target", "/dev/null"), "existing directory")
    refused("a target that cannot be written to", ("--target", "/proc/self"), "target /proc/self")
    refused("more than a tenth of the space", (*target, "--size", "1g"), "10 %")
    refused("a size that is none", (*target, "--size", "much"), "much")
    refused("no duration", (*target, "--duration", "0"), "--duration")
    refused("another engine", (*target, "--engine", "io_uring"), "io_uring")
    refused("results on the target", (*target, *SIZE, "-o", mount.path + "/results"), "under test")
    refused("no such plan", ("/nonexistent.toml",), "nonexistent.toml")
    refused("two plans", (plan_file(space, text), plan_file(space, text)), "one plan")
    refused("a plan without a target", (plan_file(space, text),), "no target")
    refused("a word of vdbench for a plan", (plan_file(space, text), "--no-jvm"), "--no-jvm")
    refused("a word of plans for vdbench", ("x.parm", "--duration", "5s"), "--duration")
    refused("an unknown key", (plan_file(space, text + "thread = 5\n"), *target),
            r"\.toml:5:1: .*'thread'.*known")
    refused("a wrong parameter", (plan_file(space, text + 'profile = "x"\n'), *target),
            r"\.toml:5:11: .*profile: 'x'.*one of: raw")
    refused("thresholds that make no sense", (*target, "--stall-after", "1ms"), "stall-after")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--short", action="store_true",
                        help="healthy tmpfs and FUSE, no mount that goes away")
    options = parser.parse_args()
    with Checks("own_mount", 400 + 6 * options.seconds) as checks:
        stop_if_lacking(checks)
        space, mount = Workspace(), Tmpfs()
        checks.at_end(space.remove)
        checks.at_end(mount.remove)
        healthy(checks, space, options.seconds, (Tmpfs, Ffs) if options.short else MOUNTS)
        bad_input(checks, space, mount)
        for part in (interrupted, killed, processes_of_a_plan, many_threads, same_plan_again):
            part(checks, space, mount)
        away = () if options.short else (unmounted, aborted)
        for part in (*away, reported_stall, frozen):
            part(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
