#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gate by real runs: what it says of good, failed, unfinished and doubtful runs in every form,
how often it cries wolf over runs of one build, and how often it finds a slow-down of 5 %."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from program import BINARY, TOP, Workspace, read_json, read_text, run  # noqa: E402

RESAMPLE = os.environ.get("SP_GATE_RESAMPLE", os.path.join(TOP, "build/dev/ci/gate_resample"))
FALSE_ALARMS, POWER, QUIET = 0.055, 0.95, 0.015
# One load as fast as it can, one at a rate, one that hurts itself, as in real plans. The first
# second is left out: it holds as many operations as the start of the workers leaves room for.
PLAN = """[plan]
name = "gate"
duration = "{seconds}s"
warmup = "1s"
size = "512m"

[[process]]
  [[process.load]]
  name = "direct"
  workload = "direct-io"
  threads = 1
  io-file-size = "128MiB"
  [[process.load]]
  name = "paced"
  workload = "direct-io"
  threads = 1
  io-file-size = "64MiB"
  io-rate = 500
  [[process.load]]
  name = "jvm"
  workload = "mprotect-storm"
  rate = 200
"""


class Gate:
    """One call of the gate: exit code, first line, JSON document, and what went wrong."""

    def __init__(self, *words, json_too=True):
        done = call(*words)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.sentence = self.out.splitlines()[0] if self.out else ""
        self.doc = None
        if json_too and self.out:
            self.doc = json.loads(call(*words, "--json").stdout)

    def describe(self):
        return f"exit {self.code}: {self.sentence} {self.err.strip()}"[:300]


def call(*words):
    return subprocess.run([BINARY, "gate", *words], capture_output=True, text=True, timeout=60,
                          check=False)


def make_runs(checks, folder, count, seconds, limit):
    """Runs made earlier in this folder count; only what is missing is made, at most `limit`."""
    os.makedirs(folder, exist_ok=True)
    mount = Tmpfs()
    space = Workspace()
    checks.at_end(space.remove)
    plan = os.path.join(folder, "plan.toml")
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(PLAN.format(seconds=seconds))
    made = 0
    try:
        for number in range(count):
            place = os.path.join(folder, f"run-{number:03d}")
            if os.path.exists(os.path.join(place, "verdict.json")) or made == limit:
                continue
            shutil.rmtree(place, ignore_errors=True)
            made += 1
            ended = run(["run", plan, "--target", mount.path, "--label", "build=a"], space,
                        seconds=seconds + 60, run_dir=place)
            checks.check(f"run {number} passes", ended.code == 0, ended.describe())
    finally:
        mount.remove()
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if os.path.exists(os.path.join(folder, name, "verdict.json")))


def changed_copy(space, run_dir, change, slower=1.0):
    """A copy of a run with another id; `change` may edit its verdict, its series may be scaled."""
    place = space.new("copy")
    shutil.copytree(run_dir, place)
    verdict = read_json(os.path.join(place, "verdict.json"))
    verdict["run"] += os.path.basename(place)
    change(verdict)
    with open(os.path.join(place, "verdict.json"), "w", encoding="utf-8") as stream:
        json.dump(verdict, stream)
    scale_series(os.path.join(place, "series"), slower)
    return place


def scale_series(folder, factor):
    for name, first in (("loads.csv", 2), ("seconds.csv", 1)):
        path = os.path.join(folder, name)
        if factor == 1.0 or not os.path.exists(path):
            continue
        rows = [line.split(",") for line in read_text(path).splitlines()]
        for row in rows[1:]:
            columns = [first] if name == "loads.csv" else range(first, len(row))
            for column in columns:
                row[column] = str(round(int(row[column]) * factor))
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("".join(",".join(row) + "\n" for row in rows))


def good_runs(checks, runs):
    ours = runs[:4]
    gate = Gate(*ours, "--no-canary")
    checks.check("good runs without a canary pass where that is accepted",
                 gate.code == 0 and gate.sentence.startswith("PASS build a: 0 failing stalls in "),
                 gate.describe())
    checks.check("and are unknown where it is not", Gate(*ours).code == 3, gate.describe())
    gate = Gate(*ours, "--no-canary", "--min-hours", "96")
    checks.check("too few hours are unknown", gate.code == 3 and "at least 96" in gate.out,
                 gate.describe())
    gate = Gate(*ours, "--bisect")
    checks.check("--bisect: unknown is 125", gate.code == 125, gate.describe())


def forms(checks, space, words, expected):
    """Every form of one answer tells the same sentence."""
    junit, summary = space.new("junit.xml"), space.new("summary.md")
    gate = Gate(*words, "--junit", junit, "--summary-md", summary, json_too=False)
    doc = json.loads(call(*words, "--json").stdout)
    try:
        tree = ElementTree.parse(junit).getroot()
    except (OSError, ElementTree.ParseError) as error:
        checks.check(f"{expected}: JUnit is XML", False, str(error))
        return gate, "", None
    sentences = {prop.get("value") for prop in tree.iter("property")
                 if prop.get("name") == "summary"}
    plain = read_text(summary).splitlines()[0].replace("\\", "")
    told = {gate.sentence, doc["summary"], *sentences, plain}
    checks.check(f"{expected}: text, Markdown, JUnit and JSON begin with one sentence",
                 len(told) == 1 and gate.sentence.startswith(expected + " "), str(told))
    counted = len(list(tree.iter("failure"))), len(list(tree.iter("error")))
    said = int(tree.get("failures")), int(tree.get("errors"))
    checks.check(f"{expected}: JUnit counts what it holds", counted == said, f"{counted} {said}")
    return gate, read_text(summary), tree


def stalled_run(checks, space):
    ended = run(["repro", "mmap-lock-fault", "--label", "build=a"], space)
    if not checks.check("the reported stall is there to be judged", ended.code == 0,
                        ended.describe()):
        return
    words = [ended.run_dir, "--no-canary"]
    gate, summary, tree = forms(checks, space, words, "FAIL")
    checks.check("a failing stall fails", gate.code == 1, gate.describe())
    advice = [line.split() for line in gate.out.splitlines() if "stallproof show " in line]
    shown = [subprocess.run([BINARY, *each[1:]], capture_output=True, timeout=60, check=False)
             for each in advice]
    checks.check("and the command that it advises shows it",
                 shown and all(each.returncode == 0 and b"incident 001" in each.stdout
                               for each in shown), f"{advice} {shown}"[:400])
    checks.check("its wait-for graph is in the summary",
                 "```mermaid\nflowchart LR\n" in summary and "class n" in summary, summary[:400])
    checks.check("and its explanation in JUnit", tree is not None and any(
        "waits for" in (out.text or "") for out in tree.iter("system-out")), "no system-out")
    known = space.new("known.toml")
    with open(known, "w", encoding="utf-8") as stream:
        for stall in read_json(os.path.join(ended.run_dir, "verdict.json"))["stalls"]:
            stream.write(f'[[known]]\nsignature = "{stall["signature"]}"\nreason = "reported"\n'
                         "until = 2099-12-31\n")
    gate = Gate(*words, "--known", known)
    checks.check("a known stall is told and does not fail",
                 gate.code == 0 and "1 known stall" in gate.sentence, gate.describe())
    with open(known, encoding="utf-8") as stream:
        text = stream.read().replace("2099", "2020")
    with open(known, "w", encoding="utf-8") as stream:
        stream.write(text)
    gate = Gate(*words, "--known", known)
    checks.check("an expired entry covers nothing and is named",
                 gate.code == 1 and "ended on 2020-12-31" in gate.out, gate.describe())

    def corrupt(verdict):
        next(iter(verdict["workloads"].values()))["mismatches"] = 1
    with open(known, "w", encoding="utf-8") as stream:
        stream.write(text.replace("2020", "2099"))
    gate = Gate(changed_copy(space, ended.run_dir, corrupt), "--no-canary", "--known", known)
    checks.check("a known stall never covers wrong data",
                 gate.code == 1 and "corruption" in gate.out, gate.describe())


def doubtful_runs(checks, space, runs):
    def edited(name, code, word, change, *words):
        gate = Gate(runs[0], changed_copy(space, runs[1], change), "--no-canary", *words)
        told = gate.out + gate.err
        checks.check(f"{name}: exit {code}", gate.code == code and word in told, gate.describe())

    edited("a run that did nothing", 3, "did 0 operations",
           lambda verdict: verdict["workloads"]["direct"].update(ops=0))
    edited("a blind watchdog", 3, "watchdog was not run",
           lambda verdict: verdict["observer"].update(gaps=1))
    edited("an unknown run", 3, "its verdict is unknown",
           lambda verdict: verdict.update(verdict="unknown", exit_code=3))
    edited("a hazard never entered", 3, "hazard was never entered",
           lambda verdict: verdict.update(hazard={"entered": 0, "per_second_min": None}))
    edited("mixed builds", 2, "build a (", lambda verdict: verdict["labels"].update(build="b"))
    edited("a newer format", 3, "schema", lambda verdict: verdict.update(schema=99))
    edited("a verdict that is none", 3, "stalls", lambda verdict: verdict.pop("stalls"))
    edited("a label of a stranger", 0, "PASS build",
           lambda verdict: verdict["labels"].update(owner="x\n<script>\x1b"))

    unfinished = space.new("unfinished")
    shutil.copytree(runs[1], unfinished)
    os.unlink(os.path.join(unfinished, "verdict.json"))
    with open(os.path.join(unfinished, "run.id"), "w", encoding="utf-8") as stream:
        stream.write("unfinished-1\n")
    gate = Gate(runs[0], unfinished, "--no-canary")
    checks.check("an unfinished run is never green", gate.code == 3 and "unfinished" in gate.out,
                 gate.describe())
    for name, words, word in (
            ("no such run", [space.new("none")], "no such run"),
            ("not a run", [space.path], "events.jsonl (stallproof history list tells"),
            ("the same run twice", [runs[0], runs[0]], "the same run twice"),
            ("one run on both sides", [runs[0], "--baseline", runs[0]], "the same run twice"),
            ("no list of known stalls", [runs[0], "--known", "/nowhere"],
             "No such file or directory (give a TOML file"),
            ("no place for JUnit", [runs[0], "--junit", "/nowhere/x.xml"],
             "create /nowhere/x.xml: No such file or directory (make"),
            ("no run at all", [], "RUN")):
        gate = Gate(*words, json_too=False)
        checks.check(f"{name} is refused in one line",
                     gate.code == 2 and word in gate.err and len(gate.err.splitlines()) == 1,
                     gate.describe())
    checks.check("--bisect: what is no run is 125 too",
                 call(space.new("none"), "--bisect").returncode == 125, "")


def comparisons(checks, space, runs):
    before = [changed_copy(space, each, lambda verdict: verdict["labels"].update(build="old"))
              for each in runs[:5]]
    same, slow = runs[5:10], []
    for each in runs[5:10]:
        slow.append(changed_copy(space, each, lambda verdict: None, 0.5))
    gate = Gate(*slow, "--no-canary", "--baseline", *before)
    checks.check("half the speed is a regression",
                 gate.code == 1 and "regression: " in gate.sentence, gate.describe())
    gate = Gate(*same, "--no-canary", "--baseline", *before)
    changes = {(each["load"], each["metric"]): each for each in gate.doc["comparison"]["metrics"]}
    checks.check("every load is compared by throughput and tail", len(changes) == 6, str(changes))
    for (load, metric), each in changes.items():
        checks.row(f"{load} {metric}: CV from run to run", round(each["cv"], 4), "told")
    gate = Gate(*same[:4], "--no-canary", "--baseline", *before)
    checks.check("four runs a side are unknown",
                 gate.code == 3 and "too few runs to compare" in gate.out, gate.describe())
    checks.check("and speed is said to be not compared",
                 "speed could not be compared: too few runs (4 of the 5 needed" in gate.sentence
                 and "no regression" not in gate.sentence, gate.describe())
    other = [changed_copy(space, each, lambda verdict: verdict["target"].update(fstype="xfs"))
             for each in before]
    gate = Gate(*same, "--no-canary", "--baseline", *other)
    checks.check("a baseline on another kind of target is refused",
                 gate.code == 2 and "'tmpfs', not 'xfs'" in gate.err, gate.describe())


def resample(checks, runs, rounds):
    done = subprocess.run([RESAMPLE, "--rounds", str(rounds), *runs], capture_output=True,
                          text=True, timeout=600, check=False)
    if not checks.check("the runs can be resampled", done.returncode == 0, done.stderr[:300]):
        return
    told = json.loads(done.stdout)
    print(done.stdout)
    checks.check(f"false alarms of {rounds} comparisons of {len(runs)} runs",
                 told["false_alarms"] <= FALSE_ALARMS, str(told["false_alarms"]))
    checks.row("false alarms", told["false_alarms"], FALSE_ALARMS)
    quiet = [load for load in told["loads"] if load["cv"] <= QUIET]
    for load in quiet:
        checks.check(f"5 % of {load['load']} are found with 5 runs a side",
                     load["found_with_5"] >= POWER, str(load))
    checks.check("some load is quiet enough for that", quiet, str(told["loads"]))
    for load in told["loads"]:
        checks.row(f"{load['load']}: CV {load['cv']:.4f}, 5 % found with 5 runs a side",
                   load["found_with_5"], f">= {POWER}" if load in quiet else "told")
        checks.row(f"{load['load']}: runs a side that the gate says it needs",
                   load["runs_needed"], "told")
        if load["side"] == load["runs_needed"]:
            checks.row(f"{load['load']}: 5 % found with {load['side']} runs a side",
                       load["found_with_side"], f"about {POWER}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--keep", help="folder for the runs; those that it has already are taken")
    parser.add_argument("--make", type=int, default=-1, help="make at most so many, then stop")
    options = parser.parse_args()
    with Checks("gate", 300 + options.runs * (options.seconds + 5)) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        folder = options.keep or space.new("runs")
        runs = make_runs(checks, folder, options.runs, options.seconds, options.make)
        if options.make >= 0 and len(runs) < options.runs:
            print(f"{len(runs)} of {options.runs} runs made", flush=True)
            return checks.code
        good_runs(checks, runs)
        forms(checks, space, [*runs[:3], "--no-canary"], "PASS")
        forms(checks, space, runs[:3], "UNKNOWN")
        doubtful_runs(checks, space, runs)
        stalled_run(checks, space)
        comparisons(checks, space, runs)
        resample(checks, runs, options.rounds)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
