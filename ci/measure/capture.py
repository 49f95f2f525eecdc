# SPDX-License-Identifier: Apache-2.0
"""`stallproof capture` while a real deadlock of 300 blocked tasks stands: fast, whole, right, and
never hung; and what it says when it cannot do its work."""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time

import program
from checks import Checks
from judge import median
from machine import clean_machine, look
from program import Started, Workspace, run

LIMIT_S = 5.0
BLOCKED = 300
# Faulting threads queue as readers. More writers would starve the healthy load before it is armed.
THREADS = ("--param", "mprotect-threads=4", "--param", "fault-threads=320",
           "--param", "direct-threads=20")
FILES = ("incident.json", "explanation.json", "explanation.txt", "graph.svg", "graph.dot",
         "snapshot.json", "stacks.txt", "waits.txt", "fuse.txt", "sources.json", "kmsg.txt",
         "processes.txt", "mountinfo.txt", "diskstats.txt", "pressure.txt", "modules.txt",
         "sysctl.txt", "version.txt")


class Deadlock:
    """A `repro --hold` that stands. `with Deadlock(workspace) as deadlock:` heals it."""

    def __init__(self, workspace):
        self.run = Started(["repro", "mmap-lock-fault", "--hold", "--deadline", "10m", *THREADS],
                           workspace)
        self.pids = {event["role"]: event["pid"] for event in self.wait_children()}
        self.truth = self.wait_truth()
        self.mount = f"/run/stallproof/{self.run_id()}/mnt"

    def wait_children(self):
        self.run.wait_event(30, event="child", role="worker")
        return [event for event in program.read_events(self.run.run_dir)
                if event.get("event") == "child"]

    def wait_truth(self):
        path = os.path.join(self.run.run_dir, "incidents/001/truth.json")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            truth = program.read_json(path)
            if truth is not None:
                return truth
            time.sleep(0.1)
        raise RuntimeError("the deadlock did not come")

    def run_id(self):
        return program.read_text(os.path.join(self.run.run_dir, "run.id")).strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run.stop()


def problems_of(ended, directory, truth, worker):
    """Why this capture is not what it should be; empty when it is."""
    found = []
    if ended.hung or ended.code != 0:
        return [ended.describe()]
    if ended.seconds > LIMIT_S:
        found.append(f"took {ended.seconds:.1f} s")
    missing = [name for name in FILES if not os.path.isfile(os.path.join(directory, name))]
    if missing:
        found.append(f"no {missing}")
    explanation = program.read_json(os.path.join(directory, "explanation.json")) or {}
    if explanation.get("class") != "mmap_lock_cycle" or not explanation.get("cycle"):
        found.append(f"class {explanation.get('class')}")
    holders = {hazard["tid"] for hazard in truth["open_hazards"]}
    holder = {node["id"]: node for node in explanation.get("nodes", [])}.get(
        explanation.get("root", {}).get("holder"), {})
    if holder.get("tid") not in holders or holder.get("tgid") != worker:
        found.append(f"holder {holder.get('tid')} is none of {sorted(holders)}")
    snapshot = program.read_json(os.path.join(directory, "snapshot.json")) or {"tasks": []}
    # Waits for FUSE sleep interruptibly: blocked all the same.
    blocked = sum(task["state"] == "D" or "request_wait_answer" in " ".join(task["stack"])
                  for task in snapshot["tasks"])
    if blocked < BLOCKED:
        found.append(f"{blocked} blocked tasks of {len(snapshot['tasks'])}")
    return found + archive_problems(directory)


def archive_problems(directory):
    with tarfile.open(directory + ".tar.gz") as archive:
        inside = {os.path.basename(member.name): archive.extractfile(member).read()
                  for member in archive.getmembers()}
    outside = {name: open(os.path.join(directory, name), "rb").read()
               for name in os.listdir(directory)}
    return [] if inside == outside else ["archive and directory differ"]


def during_the_deadlock(checks, workspace, runs):
    before, seconds = look(), []
    with Deadlock(workspace) as deadlock:
        worker = deadlock.pids["worker"]
        scopes = ([], ["--pid", str(worker)], ["--mount", deadlock.mount])
        for number in range(runs):
            scope = scopes[number % len(scopes)]
            ended = run(["capture", *scope], workspace, seconds=20)
            checks.all(f"capture {' '.join(scope[:1]) or 'all'}, run {number + 1}",
                       problems_of(ended, ended.run_dir, deadlock.truth, worker))
            seconds.append(ended.seconds)
        again = run(["explain", "--format", "json"], workspace, after=[ended.run_dir + ".tar.gz"],
                    no_out=True)
        checks.check("the archive explains itself", again.code == 0 and again.doc is not None
                     and again.doc["class"] == "mmap_lock_cycle", again.describe())
        commands(checks, workspace, deadlock)
        refusals(checks, workspace, deadlock)
        ended = deadlock.run
    checks.row("capture with 300 blocked tasks: seconds, median / max",
               f"{median(seconds):.2f} / {max(seconds):.2f}", f"<= {LIMIT_S} s")
    checks.all("machine as before", clean_machine(before, None, ended.session))


def commands(checks, workspace, deadlock):
    ended = run(["capture", "--json", "--pid", str(deadlock.pids["worker"])], workspace, seconds=20)
    words = [each["command"] for each in (ended.doc or {}).get("next_commands", [])]
    checks.check("three next commands, the abort first",
                 len(words) == 3 and "/abort" in words[0]
                 and words[1] == f"kill -9 {deadlock.pids['worker']}", f"{words}")
    ended = run(["capture", "--sysrq"], workspace, seconds=20)
    has = os.path.exists("/proc/sysrq-trigger")
    told = program.read_text(os.path.join(ended.run_dir, "sysrq.txt"))
    checks.check("--sysrq gives the kernel's own words, or says that there are none",
                 ended.code == 0 and (("Show Blocked State" in told) if has
                                      else "no sysrq" in ended.out), ended.describe())


def refusals(checks, workspace, deadlock):
    inside = deadlock.mount + "/x"
    ended = run(["capture", "--mount", deadlock.mount], workspace, seconds=20, run_dir=inside)
    checks.check("results on the stuck mount are refused at once",
                 ended.code == 2 and not ended.hung and ended.seconds < 3, ended.describe())
    stranger = run(["capture"], workspace, seconds=20, user=65534, extra_groups=[])
    checks.check("who is not root is told so", stranger.code == 2 and "root" in stranger.err,
                 stranger.describe())


def without_deadlock(checks, workspace):
    gone = subprocess.Popen(["true"])
    gone.wait()
    for words, text in ((["--pid", str(gone.pid)], "no such process"),
                        (["--mount", "/nonexistent"], "not a mount point"),
                        (["--pid", "1", "--mount", "/"], "either"),
                        (["--deadline", "1ms"], "too short")):
        ended = run(["capture", *words], workspace, seconds=10)
        checks.check(f"capture {' '.join(words)} is refused in one line",
                     ended.code == 2 and text in ended.err and ended.err.count("\n") == 1,
                     ended.describe())
    ended = run(["capture"], workspace, seconds=10)
    checks.check("nothing stuck is said and captured", ended.code == 0
                 and "Nothing is stuck" in ended.out, ended.describe())
    twice = run(["capture"], workspace, seconds=10, run_dir=ended.run_dir)
    checks.check("an earlier capture is never overwritten",
                 twice.code == 3 and "already" in twice.err, twice.describe())
    full_disk(checks, workspace)


def full_disk(checks, workspace):
    place = tempfile.mkdtemp(prefix="stallproof-full-", dir="/run")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", place], check=True, timeout=10)
    try:
        ended = run(["capture"], workspace, seconds=10, run_dir=place + "/c")
        left = [name for name in os.listdir(place) if name.endswith(".gz")]
    finally:
        subprocess.run(["umount", place], check=False, timeout=10)
        os.rmdir(place)
    checks.check("a full disk costs the files, not the explanation",
                 ended.code == 3 and "Nothing is stuck" in ended.out and "No space" in ended.err
                 and not left, ended.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=6)
    options = parser.parse_args()
    with Checks("capture", 120 + 8 * options.runs) as checks:
        workspace = Workspace()
        checks.at_end(workspace.remove)
        without_deadlock(checks, workspace)
        during_the_deadlock(checks, workspace, options.runs)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
