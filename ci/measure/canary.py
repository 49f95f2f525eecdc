#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stall that a run makes on purpose: seen, explained, captured and healed beside a healthy load
and a really stalled one, never a stall of the run, and a verdict of unknown when it is not seen."""

import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from own_mounts import LoopFs, Tmpfs, quiet, scratch_left  # noqa: E402
from program import BINARY, TOP, Started, Workspace, read_json, run  # noqa: E402

SIZE = ("--size", "64m")
LONGEST_MS = 5000
CLASS = {"mmap-lock-fault": "mmap_lock_cycle", "fs-frozen": "fs_frozen"}


def verdict(result):
    return read_json(os.path.join(result.run_dir, "verdict.json")) or {}


def canary_of(result):
    return verdict(result).get("observer", {}).get("canary") or {}


def start(mount, space, *words, **options):
    return Started(["run", "--target", mount.path, *SIZE, *words], space, **options)


def problems(canary, *moments):
    """What is not as it must be of a canary that passes."""
    found = [] if canary.get("passed") is True else [f"passed: {canary}"]
    for when in moments:
        one = canary.get(when) or {}
        times = [one.get(key) for key in ("injected_ms", "detected_ms", "explained_ms",
                                          "resolved_ms")]
        if None in times or times != sorted(times):
            found.append(f"{when}: times {times}")
            continue
        if one.get("class") != CLASS[canary["fault"]]:
            found.append(f"{when}: class {one.get('class')}")
        if one["healed_ms"] - one["injected_ms"] >= LONGEST_MS:
            found.append(f"{when}: lived {one['healed_ms'] - one['injected_ms']:.0f} ms")
        if not one.get("captured"):
            found.append(f"{when}: nothing captured")
    return found


def alarms(result):
    """Events of stalls of the run itself."""
    return [event for event in result.events() if event.get("event") in ("stall", "stall_resolved")]


def healthy(checks, space, mount):
    before = look()
    result = start(mount, space, "--duration", "3s", "--canary", "yes", "--on-stall",
                   "sysrq").ended(60)
    doc, canary = verdict(result), canary_of(result)
    checks.check("a healthy load passes", result.code == 0 and doc.get("verdict") == "pass",
                 f"{result.describe()} {doc.get('reasons')}")
    checks.all("before and after it the stall is seen", problems(canary, "before", "after"))
    checks.check("it is no stall of the run", doc.get("stalls") == [] and not alarms(result),
                 f"{doc.get('stalls')} {alarms(result)}")
    taken = glob.glob(result.run_dir + "/**/sysrq.txt", recursive=True)
    checks.check("--on-stall does not hear of it",
                 doc.get("captures", {}).get("taken") == 0 and not taken, str(taken))
    checks.check("its evidence is kept", all(
        os.path.exists(f"{result.run_dir}/canary/{when}/001/explanation.json")
        for when in ("before", "after")), str(os.listdir(result.run_dir)))
    checks.all("nothing is left", scratch_left(mount.path) + clean_machine(before, result))
    for when in ("before", "after"):
        one = canary.get(when) or {}
        if one.get("detected_ms"):
            checks.row(f"{when}: detected after, ms",
                       round(one["detected_ms"] - one["injected_ms"]), "1000 and a tick")
            checks.row(f"{when}: lived, ms", round(one["healed_ms"] - one["injected_ms"]),
                       f"< {LONGEST_MS}")


BLIND = (("lock-contention", "not as"), ("no-progress", "was not detected"))


def blind(checks, space, mount, missing):
    for word, said in missing:
        result = start(mount, space, "--duration", "1s", "--canary", "yes", "--without",
                       word).ended(60)
        doc = verdict(result)
        told = [reason for reason in doc.get("reasons", []) if said in reason]
        checks.check(f"without {word} the verdict is unknown, for it was not seen",
                     result.code == 3 and doc.get("verdict") == "unknown" and told,
                     f"{result.describe()} {doc.get('reasons')}")


def plan_file(space, mount, seconds):
    path = space.new("plan") + ".toml"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(f'[plan]\nduration = "{seconds}s"\ntarget = "{mount.path}"\n'
                     '[canary]\nenabled = true\nwhen = ["beside"]\n'
                     '[[process]]\n[[process.load]]\nworkload = "direct-io"\n'
                     'io-read-percent = 0\nio-file-size = "16m"\n')
    return path


def beside(checks, space, mount):
    result = run(["run", plan_file(space, mount, 10)], space)
    doc = verdict(result)
    checks.all("beside the load it is seen", problems(canary_of(result), "beside"))
    checks.check("the load goes on", result.code == 0 and doc.get("stalls") == [] and
                 doc["workloads"]["direct-io"]["per_second_min"] > 0,
                 f"{result.describe()} {doc.get('reasons')}")


def beside_a_stall(checks, space):
    mount = LoopFs("ext4")
    try:
        started = Started(["run", plan_file(space, mount, 14)], space)
        injected = started.wait_event(40, event="canary_injected")
        mount.freeze()
        time.sleep(3)
        mount.thaw()
        result = started.ended(60)
        doc = verdict(result)
        checks.check("it was injected", injected is not None, result.describe())
        checks.all("beside a stall of the load it is seen", problems(canary_of(result), "beside"))
        classes = [stall["class"] for stall in doc.get("stalls", [])]
        checks.check("and so is the stall, as what it is", classes == ["fs_frozen"], str(classes))
    finally:
        mount.remove()


def killed(checks, space, mount):
    before = look()
    started = start(mount, space, "--duration", "3s", "--canary", "yes")
    injected = started.wait_event(30, event="canary_injected")
    time.sleep(0.7)
    started.signal(signal.SIGKILL)
    first = started.ended(5)
    checks.check("SIGKILL reached it while the stall stood",
                 injected is not None and not any(each.get("event") == "canary_healed"
                                                  for each in first.events()), first.describe())
    result = start(mount, space, "--duration", "1s").ended(60)
    checks.check("the next start passes", result.code == 0, result.describe())
    checks.all("and nothing is left", scratch_left(mount.path) + clean_machine(before, first))


def with_devices(space, names):
    """What a command begins with to run in a mount namespace whose /dev has these and few more;
    and where that is."""
    devices = space.new("dev")
    script = (f"mkdir -p {devices}/shm {devices}/pts && "
              f"for name in null zero full random urandom tty kmsg {names}; do "
              f"[ -e /dev/$name ] && cp -a /dev/$name {devices}/; done; "
              f"mount --bind {devices} /dev && exec \"$@\"")
    return ("unshare", "-m", "sh", "-c", script, BINARY), devices


def without_means(checks, space, mount):
    """Neither FUSE nor loop devices: no known stall can be made."""
    prefix, devices = with_devices(space, "")
    for name, words, after in (("run", ["run", "--target", mount.path, *SIZE, "--duration", "1s"],
                                ()), ("watch", ["watch"], ("--", *WORK, mount.path))):
        refused = run([*words, "--canary", "yes"], space, prefix=prefix, after=after)
        checks.check(f"{name}: where none can be made, yes is refused", refused.code == 2 and
                     "/dev/fuse" in refused.err and not refused.events(), refused.describe())
        tried = run([*words, "--canary", "try"], space, prefix=prefix, after=after)
        checks.check(f"{name}: with try the load runs, and the verdict is unknown",
                     tried.code == 3 and "not made" in str(verdict(tried).get("reasons")) and
                     canary_of(tried).get("passed") is False, tried.describe())
    quiet("umount", "-l", devices)


def without_fuse(checks, space, mount):
    prefix, devices = with_devices(space, "loop-control $(cd /dev && ls -d loop[0-9]*)")
    before = look()
    result = start(mount, space, "--duration", "1s", "--canary", "yes", prefix=prefix).ended(60)
    canary = canary_of(result)
    checks.check("without FUSE a frozen file system takes its place",
                 canary.get("fault") == "fs-frozen", f"{result.describe()} {canary}")
    if canary.get("fault") == "fs-frozen":
        checks.all("and is seen", problems(canary, "before", "after"))
    checks.all("and nothing is left of it", clean_machine(before, result))
    quiet("umount", "-l", devices)


def said(checks, space, mount):
    result = start(mount, space, "--duration", "1s").ended(30)
    observer = verdict(result).get("observer", {})
    checks.check("a short run has none by itself", result.code == 0 and
                 "canary" in observer and observer["canary"] is None, result.describe())
    plain = run(["run", "--target", mount.path, *SIZE, "--dry-run"], space, no_out=True)
    checks.check("a plan says that it has one", "[canary]\nenabled = true" in plain.out, plain.out)


def vdbench(checks, space, mount):
    parameters = space.new("parm")
    with open(parameters, "w", encoding="utf-8") as stream:
        stream.write(f"sd=sd1,lun={mount.path}/lun,size=4m\nwd=wd1,sd=sd1,xfersize=4k\n"
                     "rd=rd1,wd=wd1,iorate=100,elapsed=2,interval=1\n")
    before = look()
    for command in (["vdbench", "-f", parameters], ["run", parameters]):
        result = run([*command, "--canary", "yes"], space)
        checks.check(f"{command[0]} of a parameter file has one too", result.code == 0 and
                     not problems(canary_of(result), "before", "after"),
                     f"{result.describe()} {canary_of(result)}")
        checks.check(f"{command[0]}: it is no stall, and its rows say nothing of it",
                     not verdict(result).get("stalls") and "on purpose" not in
                     re.sub(r"(?m)^(pass|unknown):.*$", "", result.out), result.out[-300:])
    result = run(["run", parameters, "--canary", "yes", "--without", "no-progress"], space)
    checks.check("where it is not seen the verdict is unknown", result.code == 3 and
                 verdict(result).get("verdict") == "unknown", result.describe())
    plain = run(["vdbench", "-f", parameters], space)
    checks.check("a short execution has none by itself", canary_of(plain) == {} and plain.code == 0,
                 plain.describe())
    checks.all("vdbench leaves nothing of it", clean_machine(before, plain))
    quiet("rm", "-f", f"{mount.path}/lun")


# A load that is not ours, and that ends by itself.
WORK = (sys.executable, "-c", """
import os, sys, time
file = os.open(sys.argv[1] + "/file", os.O_CREAT | os.O_RDWR)
end = time.monotonic() + 2
while time.monotonic() < end:
    os.pwrite(file, bytes(65536), 0)
    os.pread(file, 65536, 0)
os.unlink(sys.argv[1] + "/file")
print("mine")
""")


def at(result, event):
    return next((each["t_ms"] for each in result.events() if each.get("event") == event), None)


def watched(checks, space, mount):
    work = (*WORK, mount.path)
    before = look()
    result = run(["watch", "--canary", "yes"], space, after=("--", *work))
    checks.check("a watched command passes with one", result.code == 0 and
                 "made on purpose was seen" in str(verdict(result).get("reasons")),
                 result.describe())
    checks.all("it is seen before and after the command",
               problems(canary_of(result), "before", "after"))
    checks.check("it is no stall of the command", not verdict(result).get("stalls") and
                 not alarms(result), str(verdict(result).get("stalls")))
    checks.check("the command's output is its own", result.out == "mine\n", repr(result.out))
    moments = [at(result, event) for event in ("canary_begin", "canary_healed", "command_started",
                                               "command_ended", "watch_ended")]
    after = (canary_of(result).get("after") or {}).get("injected_ms")
    checks.check("the command waits for the first, the second waits for the command",
                 None not in moments and moments == sorted(moments) and after is not None and
                 after > moments[3], f"{moments} {after}")
    names = list(verdict(result).get("workloads", {}))
    checks.check("its loads are not among the command's", names and
                 not any("sp-" in name or "canary" in name for name in names), str(names))
    checks.all("a watch leaves nothing of it", clean_machine(before, result))
    plain = run(["watch"], space, after=("--", "true"))
    checks.check("who only looks on makes none", canary_of(plain) == {}, plain.describe())


def watched_in_other_ways(checks, space, mount):
    result = run(["watch", "--canary", "yes", "--without", "no-progress"], space,
                 after=("--", *WORK, mount.path))
    checks.check("a watch that does not see it is unknown", result.code == 3 and
                 verdict(result).get("verdict") == "unknown" and
                 "not detected" in str(verdict(result).get("reasons")), result.describe())
    with subprocess.Popen(["sh", "-c", f"while :; do dd if=/dev/zero of={mount.path}/file bs=64k "
                           "count=64 2>/dev/null; sleep 0.02; done"]) as load:
        result = run(["watch", "--canary", "yes", "--duration", "2s", "--pid", str(load.pid)],
                     space)
        load.terminate()
    checks.all("beside a process that runs already it is seen",
               problems(canary_of(result), "before", "after"))
    checks.check("and the process passes", result.code == 0, result.describe())
    result = run(["watch", "--canary", "yes"], space, after=("--", *WORK, mount.path),
                 prefix=(sys.executable, os.path.join(TOP, "ci/measure/without_bpf.py")))
    checks.all("without BPF it is seen too", problems(canary_of(result), "before", "after"))
    touch = ("--", "touch", f"{mount.path}/made")
    told = Started(["watch", "--canary", "yes"], space, after=touch)
    injected = told.wait_event(30, event="canary_injected")
    told.signal(signal.SIGINT)
    result = told.ended(30)
    checks.check("interrupted before the command, it never starts", injected is not None and
                 result.code == 3 and not os.path.exists(f"{mount.path}/made"), result.describe())
    before = look()
    told = Started(["watch", "--canary", "yes"], space, after=touch)
    told.wait_event(30, event="canary_injected")
    told.signal(signal.SIGKILL)
    first = told.ended(30)
    time.sleep(0.5)
    run(["watch"], space, after=("--", "true"))
    checks.all("killed before the command, the next start leaves nothing",
               clean_machine(before, first))
    checks.check("and the command was never started", not os.path.exists(f"{mount.path}/made"),
                 first.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true",
                        help="healthy, blind once, beside a stall and killed alone")
    words = parser.parse_args()
    with Checks("canary", 420) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        mount = Tmpfs()
        checks.at_end(mount.remove)
        healthy(checks, space, mount)
        blind(checks, space, mount, BLIND[:1] if words.short else BLIND)
        beside_a_stall(checks, space)
        killed(checks, space, mount)
        watched(checks, space, mount)
        without_means(checks, space, mount)
        if words.short:
            return checks.code
        beside(checks, space, mount)
        without_fuse(checks, space, mount)
        watched_in_other_ways(checks, space, mount)
        said(checks, space, mount)
        vdbench(checks, space, mount)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
