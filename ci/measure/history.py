#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The history of 10 000 runs is made anew from their directories in 60 s and answers every question
in 200 ms, truly; a damaged, foreign, newer, locked or read-only history.db is met with one line
that says what to do; two writers at once lose nothing; a run adds itself."""

import argparse
import contextlib
import csv
import io
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import history_made  # noqa: E402
from checks import Checks, lacking_means  # noqa: E402
from program import BINARY, Workspace  # noqa: E402

QUERY_S, REBUILD_S, TIMES = 0.2, 60, 5
NOBODY = 65534


class State:
    """A state directory of our own."""

    def __init__(self, space, name="state"):
        self.path = space.new(name)
        self.runs = os.path.join(self.path, "runs")
        self.database = os.path.join(self.path, "history.db")
        os.makedirs(self.runs)
        self.environment = {**os.environ, "STALLPROOF_STATE_DIR": self.path}

    def start(self, words, **options):
        return subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment, **options)

    def ask(self, *words, **options):
        """(exit code, stdout, lines on stderr, seconds)."""
        began = time.monotonic()
        child = self.start(["history", *words], **options)
        out, err = child.communicate(timeout=300)
        seconds = time.monotonic() - began  # what we make of the answer is not its time
        return child.returncode, out.decode(), err.decode().splitlines(), seconds

    def document(self, *words):
        code, out, _, _ = self.ask(*words, "--json")
        return json.loads(out) if code == 0 else {}


def rebuild(checks, state, made):
    code, out, err, seconds = state.ask("rebuild")
    checks.row(f"rebuild of {len(made)} runs", f"{seconds:.2f} s", f"{REBUILD_S} s")
    checks.check(f"{len(made)} runs are indexed in {REBUILD_S} s",
                 code == 0 and out.startswith(f"{len(made)} runs") and seconds <= REBUILD_S,
                 f"exit {code} after {seconds:.1f} s: {out[:80]} {err[:1]}")


def questions(made):
    run = made[len(made) // 2].name
    return [["list"], ["list", "--limit", "0"], ["list", "--build", "1.7"],
            ["list", "--label", "rig=r1", "--since", "2026-02-01"],
            ["list", "--signature", history_made.SIGNATURES[0]], ["show", run], ["show", "latest"],
            ["compare", "1.3", "1.4"], ["compare", run, "1.4"], ["trend"],
            ["trend", "--metric", "ops_per_s"], ["trend", "--metric", "p99_us", "--load", "writer"],
            ["export", "--csv"], ["export", "--csv", "--build", "1.9"]]


def speed(checks, state, made):
    slow, worst = [], (0.0, "")
    for words in questions(made):
        for form in ([], ["--json"]):
            asked = [word for word in words if word != "--csv" or not form] + form
            took = []
            for _ in range(TIMES):
                code, _, err, seconds = state.ask(*asked)
                took.append(seconds)
                if code != 0:
                    slow.append(f"{' '.join(asked)}: exit {code}: {err[:1]}")
            middle = statistics.median(took)
            worst = max(worst, (middle, " ".join(asked)))
            if middle > QUERY_S:
                slow.append(f"{' '.join(asked)}: {middle * 1000:.0f} ms")
    checks.row(f"slowest question to {len(made)} runs, median of {TIMES}",
               f"{worst[0] * 1000:.0f} ms ({worst[1]})", f"{QUERY_S * 1000:.0f} ms")
    checks.all(f"every question to {len(made)} runs is answered in {QUERY_S} s", slow)


def truth_of_lists(checks, state, made):
    newest = sorted(made, key=lambda run: run.started, reverse=True)
    listed = [run["run"] for run in state.document("list", "--limit", "0").get("runs", [])]
    checks.check("all runs, newest first as instants, whatever their offsets",
                 listed == [run.name for run in newest], f"{len(listed)} listed")
    signature = history_made.SIGNATURES[1]
    had = [run for run in made if signature in run.signatures]
    told = state.document("list", "--signature", signature, "--limit", "0")
    checks.check("the runs that had a stall", {run["run"] for run in told.get("runs", [])} ==
                 {run.name for run in had}, f"{len(told.get('runs', []))} of {len(had)}")
    wild = [run for run in had if not run.verdict["scenario"]]
    facts = (told.get("signatures") or [{}])[0]
    counted = [run for run in made if run.counts]
    hours = sum(run.verdict["duration_s"] for run in counted) / 3600
    expected = sum(run.signatures.count(signature) for run in counted)
    rate = facts.get("rate_per_node_hour", {})
    checks.check("since when, until when, in how many runs, how often",
                 facts.get("runs") == len(wild) and rate.get("events") == expected and
                 abs(rate.get("node_hours", 0) - hours) < 1e-6 * hours and
                 facts["first_seen"]["run"] == wild[0].name and
                 facts["last_seen"]["run"] == wild[-1].name, str(facts)[:300])


def truth_of_figures(checks, state, made):
    told = state.document("compare", "1.3", "1.4")
    problems = []
    for side, build in (("a", "1.3"), ("b", "1.4")):
        runs = [run for run in made if run.build == build and run.counts]
        stalls = sum(len(run.signatures) for run in runs)
        if told.get(side, {}).get("stalls", {}).get("events") != stalls:
            problems.append(f"{build}: {told.get(side)}")
        for each in told.get("loads", []):
            rates = [run.verdict["workloads"][each["load"]]["ops"] / run.verdict["duration_s"]
                     for run in runs]
            if abs(each[side]["ops_per_s"] - statistics.median(rates)) > 1e-3:
                problems.append(f"{build} {each['load']}: {each[side]}")
    checks.all("compare tells stalls and medians as they were made", problems or
               ([] if told.get("loads") else ["no loads"]))
    series = state.document("trend").get("series", [{}])
    builds = [point["build"] for point in series[0].get("builds", [])]
    order = list(dict.fromkeys(run.build for run in made))
    checks.check("trend goes by the order of first runs", builds == order, str(builds)[:200])
    _, out, _, _ = state.ask("export", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    checks.check("export has every run, oldest first, with every load",
                 [row["run"] for row in rows] == [run.name for run in made] and
                 all(row["writer.ops_per_s"] for row in rows), f"{len(rows)} rows")


def refused(checks, state, name, needle):
    code, out, err, _ = state.ask("list")
    checks.check(f"{name}: exit 2 and one line that says what to do",
                 code == 2 and not out and len(err) == 1 and needle in err[0],
                 f"exit {code}: {err[:2]}")


def rebuilt(checks, state, name, count):
    code, out, err, _ = state.ask("rebuild")
    after = state.document("list", "--limit", "0").get("all")
    checks.check(f"{name}: rebuild makes it anew", code == 0 and after == count,
                 f"exit {code}, {after} runs: {out[:80]} {err[:1]}")


def damage(checks, space):
    state = State(space, "damaged")
    history_made.make(state.runs, 200)
    state.ask("rebuild")
    with open(state.database, "wb") as stream:
        stream.write(os.urandom(100_000))
    refused(checks, state, "garbage", "stallproof history rebuild")
    rebuilt(checks, state, "garbage", 200)
    os.truncate(state.database, os.path.getsize(state.database) // 2)
    refused(checks, state, "cut in the middle", "stallproof history rebuild")
    rebuilt(checks, state, "cut in the middle", 200)
    aside = [name for name in os.listdir(state.path) if ".damaged-" in name]
    checks.check("the damaged files are kept", len(aside) == 2, str(aside))
    for pragma, needle in (("application_id = 42", "another program"),
                           ("user_version = 77", "newer stallproof")):
        with contextlib.closing(sqlite3.connect(state.database)) as database:
            before = [database.execute(f"PRAGMA {word}").fetchone()[0]
                      for word in ("application_id", "user_version")]
            database.execute(f"PRAGMA {pragma}")
        refused(checks, state, pragma, needle)
        with contextlib.closing(sqlite3.connect(state.database)) as database:
            for word, value in zip(("application_id", "user_version"), before):
                database.execute(f"PRAGMA {word} = {value}")
    checks.check("put right again it answers", state.ask("list")[0] == 0)


def odd_directories(checks, space):
    state = State(space, "odd")
    made = history_made.make(state.runs, 3)
    with open(os.path.join(state.runs, made[0].name, "verdict.json"), "r+b") as stream:
        stream.truncate(300)
    os.remove(os.path.join(state.runs, made[1].name, "verdict.json"))
    os.makedirs(os.path.join(state.runs, "no-run-at-all"))
    os.symlink(made[2].name, os.path.join(state.runs, "latest"))
    told = {run["run"]: run["verdict"] for run in state.document("list").get("runs", [])}
    checks.check("cut and unfinished runs are told as such, what is no run is left out",
                 told == {made[0].name: "unreadable", made[1].name: "unfinished",
                          made[2].name: made[2].verdict["verdict"]}, str(told))


def locked(checks, space):
    state = State(space, "locked")
    history_made.make(state.runs, 5)
    state.ask("rebuild")
    history_made.make(state.runs, 1, first=5)
    with contextlib.closing(sqlite3.connect(state.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, out, err, seconds = state.ask("list")
        other.execute("ROLLBACK")
    checks.row("a locked history.db holds a question up for", f"{seconds:.2f} s", "1.5 s")
    checks.check("locked: answered after a second without the new run, which is said",
                 code == 0 and out.count("-made-") == 5 and seconds < 1.5 and len(err) == 1 and
                 "locked" in err[0], f"exit {code} after {seconds:.1f} s: {err[:2]}")
    checks.check("and the next one picks it up", state.document("list").get("all") == 6)


def read_only(checks, space):
    if os.geteuid() != 0:
        return checks.skip("read-only directory", "not root: cannot ask as somebody else")
    state = State(space, "read-only")
    made = history_made.make(state.runs, 5)
    os.chmod(space.path, 0o755)
    probe = subprocess.run([BINARY, "--version"], user=NOBODY, capture_output=True, check=False)
    if probe.returncode != 0:
        return checks.skip("read-only directory", "the program cannot be started by nobody")
    code, out, err, _ = state.ask("list", user=NOBODY)
    checks.check("a directory one may not write, without a history: answered from memory",
                 code == 0 and out.count("-made-") == 5, f"exit {code}: {err[:2]}")
    state.ask("rebuild")
    history_made.make(state.runs, 1, first=5)
    code, out, err, _ = state.ask("list", user=NOBODY)
    checks.check("with one: answered, and what is missing in it is said",
                 code == 0 and out.count("-made-") == 5 and len(err) == 1 and
                 "cannot be written" in err[0], f"exit {code}: {err[:2]}")
    code, _, err, _ = state.ask("rebuild", user=NOBODY)
    return checks.check("rebuild there: exit 2 and one line", code == 2 and len(err) == 1,
                        f"exit {code}: {err[:2]} {len(made)}")


def many_writers(checks, space):
    state = State(space, "writers")
    history_made.make(state.runs, 40)
    children = []
    for first in range(40, 80, 5):
        history_made.make(state.runs, 5, first=first)
        children += [state.start(["history", "list", "--limit", "0"]),
                     state.start(["history", "rebuild"])]
    failed = []
    for child in children:
        _, err = child.communicate(timeout=60)
        # A writer that does not get its turn within a second says so.
        if child.returncode != 0 and b"locked" not in err:
            failed.append(f"exit {child.returncode}: {err[:200]!r}")
    checks.all("sixteen writers at once: each succeeds or says that it was locked out", failed)
    runs = state.document("list", "--limit", "0").get("runs", [])
    checks.check("and every run is there once", len(runs) == 80 and
                 len({run["run"] for run in runs}) == 80, f"{len(runs)} runs")
    with contextlib.closing(sqlite3.connect(state.database)) as database:
        whole = database.execute("PRAGMA integrity_check").fetchone()[0]
    checks.check("in a sound file", whole == "ok", whole)


def runs_add_themselves(checks, space):
    reason = lacking_means()
    if reason:
        return checks.skip("a run adds itself", reason)
    state = State(space, "itself")
    for out in ([], ["-o", space.new("elsewhere")]):
        child = state.start(["watch", *out, "--label", "build=9", "--", "sleep", "0.5"])
        _, err = child.communicate(timeout=60)
        with contextlib.closing(sqlite3.connect(state.database)) as database:
            count = database.execute("SELECT count(*) FROM run WHERE build = '9'").fetchone()[0]
        checks.check(f"a run adds itself at its end ({'with' if out else 'without'} -o)",
                     count == (2 if out else 1), f"{count} runs, {err[-200:]!r}")
    with contextlib.closing(sqlite3.connect(state.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        child = state.start(["watch", "--", "sleep", "0.5"])
        _, err = child.communicate(timeout=60)
        seconds = time.monotonic() - began
        other.execute("ROLLBACK")
    checks.check("locked: the run says so and its exit code is what it was",
                 child.returncode in (0, 3) and b"not in the history yet" in err and
                 seconds < 10, f"exit {child.returncode} after {seconds:.1f} s: {err[-200:]!r}")
    return checks.check("and it is picked up later", state.document("list").get("all") == 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--deadline", type=int, default=900)
    options = parser.parse_args()
    with Checks("history", options.deadline) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        state = State(space)
        made = history_made.make(state.runs, options.runs)
        rebuild(checks, state, made)
        speed(checks, state, made)
        truth_of_lists(checks, state, made)
        truth_of_figures(checks, state, made)
        damage(checks, space)
        odd_directories(checks, space)
        locked(checks, space)
        read_only(checks, space)
        many_writers(checks, space)
        runs_add_themselves(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
