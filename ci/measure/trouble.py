#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a run: no means, wrong words, a bad output directory, no BPF, lost
processes, impatient users. Each case ends in time with its exit code and the reason, on a clean
machine."""

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look, mounts  # noqa: E402
from program import BINARY, Started, Workspace, read_text, run  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
REPRO = ["repro", "mmap-lock-fault"]
QUIET = [*REPRO, "--fix", "no-writer", "--json"]
NOBODY = 65534
QUICK_SECONDS = 20


def private(script, *words):
    """A prefix that runs the program in a mount namespace of its own, after `script`."""
    return ["unshare", "-m", "sh", "-ec", f'{script}\nexec "$@"', "sh", *words]


def refused(checks, name, ended, code, *words):
    problems = ["hung"] if ended.hung else []
    checks.all(f"{name}: exit {code}, one line that names it",
               problems + judge.one_line_refusal(ended.code, ended.out, ended.err, code, words))


def clean(checks, name, before, ended=None, session=None):
    checks.all(f"{name}: the machine is as before", clean_machine(before, ended, session))


PLAN_THAT_LACKS = """[plan]
duration = "1s"
[[process]]
[[process.load]]
workload = "uffd-touch"
threads = 3
"""


def not_root(checks, space):
    # A copy that nobody can reach: the build may lie where only root may look.
    place = space.new("nobody")
    os.mkdir(place)
    os.chmod(space.path, 0o755)
    copy = shutil.copy(BINARY, os.path.join(place, "stallproof"))
    os.chown(place, NOBODY, NOBODY)
    ended = run(REPRO, space, QUICK_SECONDS, binary=copy, run_dir=os.path.join(place, "run"),
                user=NOBODY, group=NOBODY, extra_groups=[])
    refused(checks, "not root", ended, 77, "root")


def load_refused(checks, space):
    """77 is for tests that are to be skipped; what a plan asks for is its user's to mend."""
    plan = space.new("plan.toml")
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(PLAN_THAT_LACKS)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as target:
        before = look()
        started = Started(["run", plan, "--target", target, "--quiet"], space, prefix=[
            sys.executable, os.path.join(HERE, "without_bpf.py"), "--call", "userfaultfd"])
        ended = started.ended(QUICK_SECONDS)
        refused(checks, "a plan's load that this machine cannot run", ended, 2, "userfaultfd")
        clean(checks, "a plan's load that this machine cannot run", before, ended, started.session)


def no_dev_fuse(checks, space):
    script = "\n".join((
        "mount -t tmpfs none /dev && mkdir /dev/shm",
        *(f"mknod -m 666 /dev/{name} c 1 {minor}"
          for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)))))
    refused(checks, "/dev/fuse hidden",
            run(REPRO, space, QUICK_SECONDS, prefix=private(script)), 77, "/dev/fuse")


def wrong_words(checks, space):
    for name, words, named in (
            ("unknown scenario", ["repro", "no-such"], ("no-such", "mmap-lock-fault")),
            ("unknown variant", [*REPRO, "--variant", "no-such"], ("no-such", *judge.VARIANTS)),
            ("unknown fix", [*REPRO, "--fix", "no-such"], ("no-such", *judge.FIXES)),
            ("unknown param", [*REPRO, "--param", "no-such=1"], ("no-such", "service-threads")),
            ("param that is no number", [*REPRO, "--param", "direct-threads=many"],
             ("direct-threads", "many"))):
        refused(checks, name, run(words, space, QUICK_SECONDS), 2, *named)


def output_unwritable(checks, space):
    place = space.new("place")
    os.mkdir(place)
    out = os.path.join(place, "run")
    ended = run(REPRO, space, QUICK_SECONDS, run_dir=out,
                prefix=private(f"mount -t tmpfs -o ro none {place}"))
    refused(checks, "output directory not writable", ended, 2, out)


def output_full(checks, space):
    place = space.new("place")
    os.mkdir(place)
    before = look()
    started = Started(REPRO, space, run_dir=os.path.join(place, "run"),
                      prefix=private(f"mount -t tmpfs -o size=8k none {place}"))
    ended = started.ended(60)
    problems = ["hung"] if ended.hung else []
    if ended.code not in (2, 3):
        problems.append(f"exit {ended.code}, not 2 or 3")
    if "No space left" not in ended.err:
        problems.append("stderr does not say that no space is left")
    checks.all("output directory full: exit 2 or 3, and the reason", problems)
    clean(checks, "output directory full", before, ended, started.session)


def output_on_target(checks, space):
    """A second start whose output lies on the target of the first."""
    before, mounted = look(), mounts()
    first = Started([*QUIET, "--deadline", "8s"], space)
    target, deadline = None, time.monotonic() + 10
    while target is None and time.monotonic() < deadline:
        fresh = [line.split()[0] for line in mounts() - mounted
                 if line.startswith("/run/") and " fuse" in line]
        target = fresh[0] if fresh else None
        time.sleep(0.05)
    if target is None:
        checks.check("output directory on the target", False, "the first run mounted nothing")
    else:
        second = run(REPRO, space, QUICK_SECONDS, run_dir=os.path.join(target, "run"))
        refused(checks, "output directory on the target", second, 2, target)
    ended = first.ended(40)
    checks.check("output directory on the target: the first run goes on to its own end",
                 ended.code == 1 and not ended.hung, ended.describe())
    clean(checks, "output directory on the target", before, ended, first.session)


def bpf_refused(checks, space):
    before = look()
    started = Started([*REPRO, "--json"], space,
                      prefix=[sys.executable, os.path.join(HERE, "without_bpf.py")])
    ended = started.ended(60)
    name = "bpf(2) refused"
    if ended.hung or ended.doc is None:
        checks.check(name, False, ended.describe() + " (no verdict)")
        return
    checks.all(f"{name}: still reproduced", judge.reproduced(ended.doc, ended.code))
    stalls = judge.failing_stalls(ended.doc)
    stall_id = stalls[0].get("id") if stalls else "none"
    text = read_text(os.path.join(ended.run_dir, "incidents", str(stall_id), "explanation.txt"))
    checks.all(f"{name}: every edge is inferred and the blindness is named",
               judge.blind_but_honest(ended.doc,
                                      ended.incident(stall_id).get("explanation.json", {}), text))
    clean(checks, name, before, ended, started.session)


def process_lost(checks, space, role):
    name = f"{role} killed in mid-run"
    before = look()
    started = Started([*QUIET, "--deadline", "10s"], space)
    child = started.wait_event(15, event="child", role=role)
    started.wait_event(15, event="armed")
    time.sleep(1.0)
    if child is not None and started.process.poll() is None:
        os.kill(child["pid"], signal.SIGKILL)
    ended = started.ended(30)
    if child is None or ended.hung or ended.doc is None:
        checks.check(name, False, "no such child in events.jsonl" if child is None
                     else ended.describe() + " (no verdict)")
    else:
        checks.all(f"{name}: verdict unknown, exit 3, with a reason",
                   judge.unknown_verdict(ended.doc, ended.code))
    clean(checks, name, before, ended, started.session)


def interrupted_twice(checks, space):
    before = look()
    started = Started([*QUIET, "--deadline", "20s"], space)
    started.wait_event(15, event="child", role="worker")
    time.sleep(1.0)
    for _ in range(2):
        started.signal(signal.SIGINT)
        time.sleep(0.02)
    ended = started.ended(15)
    checks.check("SIGINT twice: exit 3 within 15 s", ended.code == 3 and not ended.hung,
                 ended.describe())
    clean(checks, "SIGINT twice", before, ended, started.session)


def no_fusectl(checks, space):
    before = look()
    started = Started([*REPRO, "--json"], space, prefix=private(
        "umount /sys/fs/fuse/connections 2>/dev/null || true"))
    ended = started.ended(60)
    checks.all("fusectl not mounted: still reproduced",
               judge.reproduced(ended.doc, ended.code) if ended.doc and not ended.hung
               else [ended.describe()])
    clean(checks, "fusectl not mounted", before, ended, started.session)


def worker_killed(checks, space):
    process_lost(checks, space, "worker")


def ffs_killed(checks, space):
    process_lost(checks, space, "ffs")


# A stdout whose reader does not read: a pipe of one page, nearly full, its other end held open.
FULL_PIPE = """
import fcntl, os, sys
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 4096)
os.write(writer, b"x" * 3000)
os.set_inheritable(reader, True)
os.dup2(writer, 1)
os.execv(sys.argv[1], sys.argv[1:])
"""


def stdout_not_read(checks, space):
    before = look()
    started = Started(REPRO, space, prefix=(sys.executable, "-c", FULL_PIPE))
    ended = started.ended(30)
    checks.check("stdout that nobody reads: the deadlock is healed in time, exit 3",
                 ended.code == 3 and not ended.hung, ended.describe())
    clean(checks, "stdout that nobody reads", before, ended, started.session)


def stderr_lost(checks, space):
    ended = run(["repro", "no-such-stall"], space, seconds=20,
                prefix=("bash", "-c", 'exec "$@" 2>/dev/full', "bash"))
    checks.check("stderr that takes nothing: still exit 2", ended.code == 2, ended.describe())


def hangup_ignored(checks, space):
    started = Started([*REPRO, "--json"], space, prefix=("nohup",))
    started.wait_event(15, event="load_started")
    started.signal(signal.SIGHUP)
    ended = started.ended(30)
    checks.all("SIGHUP under nohup: the run goes on and reproduces",
               judge.reproduced(ended.doc, ended.code) if ended.doc and not ended.hung
               else [ended.describe()])


CASES = (not_root, load_refused, no_dev_fuse, wrong_words, output_unwritable, output_full,
         output_on_target, bpf_refused, worker_killed, ffs_killed, interrupted_twice, no_fusectl,
         stdout_not_read, stderr_lost, hangup_ignored)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="cases whose name matches this expression")
    options = parser.parse_args()
    with Checks("trouble", 480) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for case in CASES:
            if not options.only or re.search(options.only, case.__name__):
                case(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
