#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A night on a lab node as its README tells it: what `init` writes runs, a node that is not clean
is refused, what was killed is closed, the disk is kept in bounds, the units are systemd's, and the
shell lines of the pipelines run as they are. --full: every pipeline, and the look of 60 s."""

import argparse
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import yaml  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from nightly_files import (UNITS, DAY_S, age_run, copied_run, jenkins_shell,  # noqa: E402
                           one_spelling, shell_steps, unit_problems)
from own_mounts import LoopFs, Tmpfs, scratch_left  # noqa: E402
from program import BINARY, TOP, Workspace, read_json, read_text  # noqa: E402

HERE = os.path.join(TOP, "ci/nightly")
WARNINGS = "/proc/sys/kernel/hung_task_warnings"
# A load that is not ours, and that ends by itself.
WORK = ('["sh", "-c", "for i in $(seq 30); do dd if=/dev/zero of=$target/file bs=64k count=64 '
        'conv=fsync 2>/dev/null; sleep 0.05; done; rm $target/file"]')


# The same without the stalls made on purpose before and after it.
ALONE = f"command = {WORK}\n[canary]\nenabled = false"


class Nights:
    """Nights on one state directory."""

    def __init__(self, space, name):
        self.space, self.state = space, space.new(name)
        os.makedirs(self.state)
        self.file = os.path.join(self.state, "nightly.toml")
        self.environment = {**os.environ, "STALLPROOF_STATE_DIR": self.state}

    def write(self, targets, load="", **keys):
        """`keys`: of [nightly], as TOML."""
        lines = [f"{key} = {value}" for key, value in keys.items()]
        with open(self.file, "w", encoding="utf-8") as stream:
            stream.write("\n".join(["[nightly]", f"targets = {json.dumps(targets)}",
                                    'duration = "20s"', *lines, load, ""]))
        return self

    def start(self, *words, **more):
        return subprocess.Popen([BINARY, "run", self.file, *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**self.environment, **more})

    def ended(self, process, seconds=60):
        """(exit code, stdout, stderr, night.json of the latest night)"""
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:  # our own deadline, too
            process.terminate()  # a night that is told to ends its run well
            process.communicate(timeout=30)
            raise
        return process.returncode, out, err, self.latest()

    def run(self, *words, seconds=60, **more):
        return self.ended(self.start(*words, **more), seconds)

    def latest(self):
        nights = sorted(glob.glob(self.state + "/nights/*/night.json"))
        return (read_json(nights[-1]) or {}) if nights else {}

    def runs(self):
        return sorted(glob.glob(self.state + "/runs/2*"))


class Listener:
    """The service manager's end. It reads as things come: a socket that nobody reads takes ten."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.told = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.told.append(self.socket.recv(4096).decode())

    def heard(self):
        time.sleep(0.2)
        return list(self.told)


def init(words, **options):
    return subprocess.run([BINARY, "init", *words], capture_output=True, text=True, timeout=30,
                          check=False, **options)


def first_night(checks, space, mount):
    nights = Nights(space, "first")
    made = init(["--target", mount.path], cwd=nights.state, env=nights.environment)
    text = read_text(nights.file)
    checks.check("init writes nightly.toml and says how to run it",
                 made.returncode == 0 and "[nightly]" in text and "stallproof run" in made.stdout,
                 made.stderr)
    again = init(["--target", mount.path], cwd=nights.state, env=nights.environment)
    checks.check("init writes over nothing", again.returncode == 2 and
                 "it is left as it is" in again.stderr and read_text(nights.file) == text,
                 again.stderr)
    before, listener = look(), Listener(nights.state)
    code, out, err, night = nights.run("--duration", "3s", "--label", "build=7",
                                       NOTIFY_SOCKET=listener.path, WATCHDOG_USEC="2000000")
    checks.check("what init wrote runs as it is, and passes with its canary",
                 code == 0 and out.startswith("PASS build 7: 0 failing stalls") and
                 "canary seen" in out.splitlines()[0], f"exit {code}: {out[:200]} {err[-300:]}")
    checks.check("night.json says the same", night.get("exit_code") == 0 and
                 night.get("sentence") == out.splitlines()[0] and len(night.get("runs", [])) == 1,
                 str(night)[:300])
    folder = os.path.join(nights.state, "nights", night.get("night", "-"))
    checks.all("its folder has what the morning wants", [
        name for name in ("night.txt", "plan.toml", "junit.xml", "summary.md")
        if not os.path.getsize(os.path.join(folder, name))])
    checks.all("nothing is left on the target and on the machine",
               scratch_left(mount.path) + clean_machine(before))
    told = listener.heard()
    checks.check("the service manager hears ready, alive, the sentence, the end",
                 told and told[0].startswith("READY=1") and told.count("WATCHDOG=1\n") >= 3 and
                 f"STATUS={night.get('sentence')}\n" in told and told[-1] == "STOPPING=1\n",
                 str(told[-3:]))
    shown = subprocess.run([BINARY, "run", nights.file, "--dry-run"], capture_output=True,
                           text=True, timeout=30, check=False, env=nights.environment)
    checks.check("--dry-run says the commands and runs none", shown.returncode == 0 and
                 shown.stdout.startswith("# stallproof run ") and len(nights.runs()) == 1 and
                 "\n# stallproof gate " in shown.stdout, shown.stdout[:200] + shown.stderr)
    return nights


def unclean(checks, space, mount, full):
    stuck = LoopFs("ext4")
    checks.at_end(stuck.remove)
    nights = Nights(space, "unclean").write([mount.path], ALONE,
                                            blocked_for='"2s"')
    stuck.freeze()
    writer = subprocess.Popen(["dd", "if=/dev/zero", f"of={stuck.path}/file", "count=1"],
                              stderr=subprocess.DEVNULL)
    try:
        code, out, err, night = nights.run()
        named = f"dd {writer.pid} (process {writer.pid}) is in D"
        checks.check("a node with a task in D is not clean: 3, the task named, nothing run",
                     code == 3 and out.startswith("UNKNOWN: node is not clean") and named in out
                     and night.get("runs") == [] and not nights.runs(),
                     f"exit {code}: {out[:300]} {err[-200:]}")
        code, out, err, night = nights.run("--accept-unclean")
        checks.check("--accept-unclean names it and goes on",
                     code == 0 and named in out and night.get("accepted") is True
                     and len(night.get("runs", [])) == 1, f"exit {code}: {out[:300]} {err[-300:]}")
        if full:
            done = subprocess.run([BINARY, "run", "--target", mount.path, "--preflight", "--size",
                                   "16m", "--duration", "1s"], capture_output=True, text=True,
                                  timeout=120, check=False)
            checks.check("run --preflight refuses it as well", done.returncode == 3 and
                         "node is not clean" in done.stderr and named in done.stderr, done.stderr)
    finally:
        stuck.thaw()
        writer.wait(timeout=20)
    code, out, err, _ = nights.run()
    checks.check("and clean again when it runs", code == 0,
                 f"exit {code}: {out[:200]} {err[-200:]}")


def retention(checks, space, mount, first):
    nights = Nights(space, "kept").write([mount.path], ALONE, keep_days=30)
    model = first.runs()[0]
    runs = os.path.join(nights.state, "runs")
    os.makedirs(runs)
    plain = copied_run(model, runs, "20260101-210000.001-old-1")
    twice = copied_run(model, runs, "20260102-210000.001-twice-1", incident="a_held:x")
    only = copied_run(model, runs, "20260103-210000.001-only-1", incident="b_held:y")
    by_hand = copied_run(model, runs, "20260104-210000.001-hand-1", night=None)
    young = copied_run(model, runs, "20260105-210000.001-young-1", incident="a_held:x")
    for run in (plain, twice, only, by_hand):
        age_run(run, 40 * DAY_S)
    os.makedirs(runs + "/20250101-not-a-run")
    code, out, err, night = nights.run()
    kept, tonight = night.get("kept", {}), night.get("runs", [])
    checks.check("what is older goes, oldest first, and is named", code == 0 and
                 night.get("cleaned") == ["removed " + plain, "removed " + twice] and
                 not os.path.exists(plain) and not os.path.exists(twice),
                 f"exit {code}: {night.get('cleaned')} {out[:200]} {err[-300:]}")
    checks.check("never the only incident of a signature",
                 os.path.exists(only) and kept.get("only_incident") == [only], str(kept))
    checks.all("nor what is young, was run by hand or is no run", [
        path for path in (young, by_hand, runs + "/20250101-not-a-run")
        if not os.path.exists(path)])
    listed = subprocess.run([BINARY, "history", "list"], capture_output=True, text=True,
                            timeout=30, check=False, env=nights.environment)
    checks.check("the history still knows what was removed",
                 os.path.basename(plain) in listed.stdout, listed.stdout[-300:] + listed.stderr)
    nights.write([mount.path], ALONE, keep_gb="0.000001")
    code, out, err, night = nights.run()
    left = [os.path.join(runs, name) for name in sorted(os.listdir(runs)) if name[:2] == "20"]
    checks.check("more than keep_gb: an earlier night's run goes, this one's stays, and so do only "
                 "incidents; that it is too much is told",
                 code == 0 and len(tonight) == 1 and len(night.get("runs", [])) == 1 and
                 left == [runs + "/20250101-not-a-run", only, by_hand, young, *night["runs"]] and
                 "more than keep_gb" in out, f"exit {code}: {left} {out[-400:]}")


def started_run(nights, seconds=20):
    """The directory of a run whose load has begun, or None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for run in nights.runs():
            events = read_text(os.path.join(run, "events.jsonl"))
            if "load_started" in events and not os.path.exists(run + "/verdict.json"):
                return run
        time.sleep(0.05)
    return None


def ended_early(checks, space, mount):
    load = '[plan]\nsize = "64m"\n[[process]]\n[[process.load]]\nworkload = "mprotect-storm"\n'
    nights = Nights(space, "early").write([mount.path], load)
    first = nights.start()
    run = started_run(nights)
    other = nights.run()
    checks.check("a second night on the same place is refused", other[0] == 2 and
                 "another night goes on" in other[2], f"exit {other[0]}: {other[2]}")
    first.send_signal(signal.SIGTERM)
    code, out, err, night = nights.ended(first, 40)
    checks.check("SIGTERM ends run and night well: 3, interrupted", code == 3 and
                 "the night was interrupted" in out and night.get("interrupted") is True and
                 os.path.exists(run + "/verdict.json"), f"exit {code}: {out[:200]} {err[-200:]}")
    second = nights.start()
    run = started_run(nights)
    manifest = read_json(run + "/manifest.json") if run else None
    controller = (manifest or {}).get("controller", {}).get("pid", 0)
    if not checks.check("a night's load begins", controller > 0, str(run)):
        second.terminate()
        return second.communicate(timeout=60)
    for pid in (second.pid, controller):
        os.kill(pid, signal.SIGKILL)
    second.communicate(timeout=20)
    nights.write([mount.path], f"command = {WORK}")
    code, out, err, night = nights.run()
    name = os.path.basename(run)
    checks.check("a night of a command has a canary too", "canary seen" in out.splitlines()[0],
                 out[:200])
    checks.check("night and run killed: the next night closes the run and passes by itself",
                 code == 0 and any(name in line for line in night.get("cleaned", [])) and
                 (read_json(run + "/verdict.json") or {}).get("verdict") == "unknown",
                 f"exit {code}: {night.get('cleaned')} {out[:200]} {err[-300:]}")
    checks.all("nothing is left on the target", scratch_left(mount.path))


def bad_input(checks, space, mount):
    nights = Nights(space, "bad")
    nights.write([mount.path, "/nonexistent"], ALONE)
    code, out, err, night = nights.run()
    checks.check("a target that is missing: the others run, the night is 2 and names it",
                 code == 2 and "/nonexistent" in out.splitlines()[0] and
                 len(night.get("runs", [])) == 1, f"exit {code}: {out[:300]} {err[-200:]}")

    def refused(name, said, *words, **keys):
        nights.write([mount.path], ALONE, **keys)
        code, out, err, _ = nights.run(*words)
        checks.check(f"refused in one line: {name}", code == 2 and err.count("\n") == 1 and
                     said in err and not out, f"exit {code}: {err}")

    refused("an unknown key", "nightly.toml:4:1: [nightly]: unknown key 'keep_day'", keep_day=3)
    refused("results on the target", "under test", output=json.dumps(mount.path + "/results"))
    refused("results that cannot be written", "/proc", output='"/proc/nightly"')
    refused("what the file says", "--stall-after", "--stall-after", "2s")
    refused("no duration", "--duration", "--duration", "0")


def units(checks, space):
    if shutil.which("systemd-analyze") is None:
        return checks.check("systemd-analyze is there", False, "install the package systemd")
    folder = space.new("units")
    return checks.all("systemd-analyze verify has nothing to say of the units",
                      unit_problems(UNITS, folder, BINARY))


def cron(checks, space, mount):
    nights = Nights(space, "cron").write([mount.path], ALONE)
    script = os.path.join(HERE, "stallproof-nightly")
    environment = {**nights.environment, "STALLPROOF": BINARY, "STALLPROOF_NIGHT": nights.file,
                   "STALLPROOF_LOG": nights.state + "/log", "STALLPROOF_DEFAULTS": "/dev/null"}

    def run(*words, **more):
        return subprocess.run([script, *words], capture_output=True, text=True, timeout=60,
                              check=False, env={**environment, **more})

    quiet, said = run(), run("--say", "--label", "build=9")
    checks.check("by cron a night that passed says nothing", quiet.returncode == 0 and
                 not quiet.stdout + quiet.stderr, quiet.stdout + quiet.stderr)
    checks.check("--say says the sentence first",
                 said.returncode == 0 and said.stdout.startswith("PASS build 9:"),
                 said.stdout[:200] + said.stderr)
    missing = run(STALLPROOF_NIGHT="/nonexistent.toml")
    checks.check("without its file it is 2 and says so", missing.returncode == 2 and
                 "stallproof init" in missing.stderr, missing.stderr)


def pipelines(checks, space, mount, full):
    with open(HERE + "/pipelines/github.yml", encoding="utf-8") as stream:
        github = [step["run"] for step in yaml.safe_load(stream)["jobs"]["gate"]["steps"]
                  if "run" in step]
    with open(HERE + "/pipelines/gitlab.yml", encoding="utf-8") as stream:
        gitlab = yaml.safe_load(stream)["storage-gate"]["script"]
    jenkins = jenkins_shell(read_text(HERE + "/pipelines/Jenkinsfile"))
    spelled = [one_spelling(steps) for steps in (github, gitlab, jenkins)]
    checks.check("the three pipelines do the same", spelled[0] == spelled[1] == spelled[2],
                 "\n".join(str(each) for each in spelled))
    for name, steps in (("github", github), ("gitlab", gitlab), ("jenkins", jenkins)):
        if name != "github" and not full:
            continue
        folder = space.new(name)
        os.makedirs(folder + "/bin")
        os.symlink(BINARY, folder + "/bin/stallproof")
        done = shell_steps(steps, folder, {
            "PATH": f"{folder}/bin:{os.environ['PATH']}", "TARGET": mount.path, "RUNS": "2",
            "DURATION": "1s", "MIN_HOURS": "0", "BUILD": "3.2", "STALLPROOF_STATE_DIR": folder,
            "GITHUB_STEP_SUMMARY": folder + "/gate.md"})
        summary = read_text(folder + "/gate.md")
        checks.check(f"the shell lines of {name} run as they are, and gate",
                     done.returncode == 0 and "PASS build 3.2" in summary and
                     "<testsuite" in read_text(folder + "/gate.xml"),
                     f"exit {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}")


def spend_no_warning():
    """The kernel's reports may be spent by what was measured before us: put back at the end."""
    before = read_text(WARNINGS).strip()
    if before != "0":
        return lambda: None
    with open(WARNINGS, "w", encoding="ascii") as stream:
        stream.write("10")

    def put_back():
        with open(WARNINGS, "w", encoding="ascii") as stream:
            stream.write(before)
    return put_back


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    with Checks("nightly", 600 if options.full else 240) as checks:
        stop_if_lacking(checks)
        space, mount = Workspace(), Tmpfs()
        checks.at_end(space.remove)
        checks.at_end(mount.remove)
        checks.at_end(spend_no_warning())
        units(checks, space)
        first = first_night(checks, space, mount)
        bad_input(checks, space, mount)
        cron(checks, space, mount)
        retention(checks, space, mount, first)
        ended_early(checks, space, mount)
        unclean(checks, space, mount, options.full)
        pipelines(checks, space, mount, options.full)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
