#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Java program whose threads come and go is recorded and replayed; the replay is recorded too,
and the profiles are compared. What being recorded costs: births of such a program in slices with
and without a recording, each compared with those around it. And what a user may get wrong."""

import argparse
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import map_profiles  # noqa: E402
from checks import Checks  # noqa: E402
from foreign import BUILD, EXAMPLES  # noqa: E402
from judge import median  # noqa: E402
from machine import processes  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from program import Workspace, read_text, run, Started  # noqa: E402
from slices import ratios, slow_down  # noqa: E402

REPLAY = os.path.join(BUILD, "workloads/replay_target")
NOBODY = 65534
SPAWNERS, BIRTHS = 4, 450   # six events for each birth: more than 10 000 a second
SLOW_DOWN = 0.03
# Of one spawner as fast as it can: some 10 000 events a second; what slows it shows in its births.
ROUNDS = 300_000
WARM_S = 4
SLICE_S, EDGE_S = 1.0, 0.1
DECIDING_PAIRS = 12


class Churn:
    """The example as a process; ended by pid whatever happens."""

    def __init__(self, space, classes, spawners, births, rounds=0):
        self.log = space.new("churn")
        words = [str(word) for word in (spawners, 600, births, rounds)]
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["java", "-XX:+UseSerialGC", "-cp", classes, "ThreadChurn", *words], stdout=out,
                start_new_session=True)
        self.pid = self.process.pid
        time.sleep(WARM_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)

    def births(self):
        """[(time of day in seconds, threads born until then)]."""
        rows = [line.split() for line in read_text(self.log).splitlines()]
        return [(int(row[0]) / 1000, int(row[1])) for row in rows if len(row) == 2]


def compile_churn(folder):
    subprocess.run(["javac", "-d", folder, os.path.join(EXAMPLES, "ThreadChurn.java")], check=True,
                   timeout=120)
    return folder


def record(space, words, seconds=30, **options):
    """(the run, its profile or None)."""
    path = space.new("profile")
    ended = run(["record", *words], space, seconds, run_dir=path, **options)
    text = read_text(path)
    return ended, map_profiles.Profile(text) if text else None


def replayed(space, path, seconds):
    """The replay of a profile, recorded: its Ended and Profile."""
    load = subprocess.Popen([REPLAY, f"profile-file={path}", f"seconds={seconds + 3}", "slots=8"],
                            stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        time.sleep(0.5)
        return record(space, ["--pid", str(load.pid), "--duration", str(seconds), "--json"])
    finally:
        load.terminate()
        load.wait(20)


PLAN = """[plan]
duration = "{seconds}s"
[[process]]
  [[process.load]]
  name = "replay"
  workload = "mprotect-storm"
  threads = 8
  profile = "file"
  profile-file = "{profile}"
"""


def replayed_by_plan(checks, space, profile, recorded, seconds):
    """The same profile as a load of a plan, beside nothing else, on a directory of tmpfs."""
    plan, mount = space.new("plan") + ".toml", Tmpfs()
    checks.at_end(mount.remove)
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(PLAN.format(seconds=seconds, profile=profile))
    ended = run(["run", "--json", "--target", mount.path], space, seconds + 30, after=[plan])
    doc = ended.doc or {}
    calls = doc.get("workloads", {}).get("replay", {}).get("ops", 0) / seconds
    checks.row("calls a second of the profile in a plan, and recorded",
               f"{calls:.0f}, {recorded.call_rate():.0f}", "within 10 %")
    checks.check("a plan replays the profile: exit 0", ended.code == 0, ended.describe())
    checks.all("a plan makes as many calls as were recorded",
               map_profiles.near("calls a second", recorded.call_rate(), calls,
                                 map_profiles.RATE_SHARE))


def fidelity(checks, space, classes, seconds):
    with Churn(space, classes, SPAWNERS, BIRTHS) as churn:
        first, recorded = record(
            space, ["--pid", str(churn.pid), "--duration", str(seconds), "--json"])
        alive = churn.process.poll() is None
    checks.check("a steady program is recorded: exit 0, complete, and it goes on",
                 first.code == 0 and first.doc and first.doc["complete"] and alive,
                 first.describe())
    second, again = replayed(space, first.run_dir, seconds)
    checks.check("its replay is recorded: exit 0", second.code == 0, second.describe())
    if recorded is None or again is None:
        return
    replayed_by_plan(checks, space, first.run_dir, recorded, seconds)
    checks.row("events a second recorded, and lost",
               f"{recorded.rate():.0f}, {recorded.header['lost']}", ">= 10000, 0")
    checks.check("at least 10 000 events a second, none lost",
                 recorded.rate() >= 10_000 and not map_profiles.complete(recorded),
                 f"{recorded.rate():.0f}/s, lost {recorded.header['lost']}")
    checks.row("replayed: events a second", f"{again.rate():.0f}", "within 10 %")
    checks.row("callers a second, replayed",
               f"{recorded.callers_per_second():.0f}, {again.callers_per_second():.0f}",
               "within 10 %")
    checks.row("threads with a Java thread's sequence, replayed",
               f"{recorded.share_of_life():.3f}, {again.share_of_life():.3f}", "within 3 %")
    for name, judgement in (("mix of calls, lengths and protections", map_profiles.same_mix),
                            ("order within a thread", map_profiles.same_lives),
                            ("number of callers", map_profiles.same_callers),
                            ("rate", map_profiles.same_rate)):
        checks.all(f"the replay has the same {name}", judgement(recorded, again))


def rate_between(births, begin, end):
    inside = [row for row in births if begin + EDGE_S <= row[0] <= end - EDGE_S]
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def slice_of(space, churn, with_recording):
    """(begin, end) of a slice of the program's life; loading and writing lie outside of it."""
    started = None
    if with_recording:
        started = Started(["record", "--pid", str(churn.pid)], space)
        while "recording" not in read_text(started.base + ".out"):
            if not started.process.poll() is None:
                raise RuntimeError(started.ended(1).describe())
            time.sleep(0.01)
    begin = time.time()
    time.sleep(SLICE_S)
    end = time.time()
    if started:
        started.signal(signal.SIGINT)
        ended = started.ended(20)
        if ended.code != 0:
            raise RuntimeError(ended.describe())
        os.remove(ended.run_dir)
    time.sleep(0.2)
    return begin, end


def cost(checks, space, classes, pairs):
    """A few slices that a neighbour disturbed would decide alone: in doubt more are measured."""
    slices, most = [], max(pairs, DECIDING_PAIRS)
    with Churn(space, classes, 1, 0, ROUNDS) as churn:
        for number in range(2 * most + 1):
            slices.append(slice_of(space, churn, number % 2 == 1))
            if number % 2 == 0 and number >= 2 * pairs:
                rates = [rate_between(churn.births(), *each) for each in slices]
                slower, error, doubt = slow_down(ratios(rates))
                if slower <= SLOW_DOWN:
                    break
    checks.row(f"slow-down of a recorded program of {6 * median(rates):.0f} events/s, median of "
               f"{len(slices) // 2} slices", f"{slower:.4f} ± {error:.4f}", f"<= {SLOW_DOWN}")
    checks.check("a recorded program is not slowed down", slower - doubt <= SLOW_DOWN,
                 f"slower by {slower:.4f} ± {error:.4f}")


def refusals(checks, space):
    def refused(name, ended, code, word):
        lines = ended.err.strip().splitlines()
        checks.check(f"{name}: exit {code} and one line", ended.code == code and len(lines) == 1
                     and word in lines[0], f"{ended.describe()}, {len(lines)} lines")
        checks.check(f"{name}: no profile", not os.path.exists(ended.run_dir), ended.run_dir)

    gone = subprocess.Popen(["true"])
    gone.wait(10)
    refused("process is gone", record(space, ["--pid", str(gone.pid)])[0], 2, "no such process")
    refused("no process named", record(space, [])[0], 2, "name one process")
    refused("command is not there", record(space, [], after=["--", "/nonexist"])[0], 127,
            "no such program")
    refused("not root", record(space, ["--pid", "1"], user=NOBODY, extra_groups=[])[0], 77, "root")
    without = [sys.executable, os.path.join(os.path.dirname(__file__), "without_bpf.py")]
    refused("no BPF", record(space, ["--pid", "1"], prefix=without)[0], 77, "BPF")
    refused("no BPF, a command", record(space, [], prefix=without, after=["--", "sleep", "9"])[0],
            77, "BPF")
    refused("duration is none", record(space, ["--pid", "1", "--duration", "x"])[0], 2, "'x'")
    path = space.new("mine")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("mine\n")
    ended = run(["record"], space, run_dir=path, after=["--", "true"])
    checks.check("a file that exists is not overwritten: exit 2",
                 ended.code == 2 and read_text(path) == "mine\n", ended.describe())
    ended = run(["record", "--force"], space, run_dir=path, after=["--", "true"])
    checks.check("but with --force it is", ended.code == 0 and "comm true" in read_text(path),
                 ended.describe())
    link = space.new("link")
    os.symlink(path, link)
    ended = run(["record", "--force"], space, run_dir=link, after=["--", "sh", "-c", "true"])
    checks.check("--force through a link: it stays, and its file is replaced", ended.code == 0
                 and os.path.islink(link) and "comm sh" in read_text(path), ended.describe())


def commands(checks, space):
    ended, profile = record(space, ["--json"], after=["--", "sh", "-c", "sh -c true; exit 7"])
    checks.check("a command's own exit code is given, the processes that it started are named",
                 ended.code == 7 and ended.doc and ended.doc["left_out"]["programs"] == ["sh"]
                 and profile and profile.header["comm"] == "sh", ended.describe())
    ended, profile = record(space, ["--json"], after=["--", "sh", "-c", "exec true"])
    checks.check("a command that becomes another program is recorded as that",
                 ended.code == 0 and profile and profile.header["comm"] == "true",
                 ended.describe())
    for number in (signal.SIGINT, signal.SIGTERM):
        path = space.new("profile")
        started = Started(["record"], space, run_dir=path, after=["--", "sleep", "30"])
        time.sleep(1)
        os.kill(started.process.pid, number)
        ended = started.ended(10)
        checks.check(f"signal {number} ends the recording, the profile is written, exit 0",
                     ended.code == 0 and "comm sleep" in read_text(path), ended.describe())
        left = [pid for pid, (name, session) in processes().items() if session == started.session]
        checks.check("and the command goes on", len(left) == 1, str(left))


def bad_profiles(checks, space):
    good = "stallproof-map-profile 1\n"
    for name, text, word in (("no profile", "#!/bin/sh\n", ":1: '#!/bin/sh'"),
                             ("of another version", "stallproof-map-profile 2\n", ":1: '2'"),
                             ("without its header", good, "the header has no line"),
                             ("binary", "\0\1\2" * 4096, ":1:")):
        path = space.new("bad")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        done = subprocess.run([REPLAY, f"profile-file={path}", "seconds=1"], capture_output=True,
                              text=True, timeout=20, check=False)
        checks.check(f"a profile that is {name} is refused in one line",
                     done.returncode == 2 and word in done.stderr
                     and len(done.stderr.splitlines()) == 1, done.stderr[:160])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=30)
    options = parser.parse_args()
    with Checks("record", 120 + options.pairs * 6 + options.seconds * 4) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        if os.geteuid() != 0:
            checks.skip("everything", "not root")
            return checks.code
        refusals(checks, space)
        commands(checks, space)
        bad_profiles(checks, space)
        classes = compile_churn(space.new("classes"))
        fidelity(checks, space, classes, options.seconds)
        cost(checks, space, classes, options.pairs)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
