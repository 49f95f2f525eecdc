#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dashboards and alerts with a real Prometheus that scrapes real runs every second: one that is
killed, one that stays quiet, one that stalls, one with a canary, one with a mark. Every query must
have data, every alert that is due be raised and withdrawn, nothing be raised of the quiet run, of
the canary, nor of what the mark allows."""

import argparse
import glob
import json
import os
import signal
import sys
import time

sys.dont_write_bytecode = True

import dashboard_files as files  # noqa: E402
import dashboard_queries as judged  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import LoopFs, Tmpfs  # noqa: E402
from program import TOP, Started, Workspace, run as program  # noqa: E402
from prometheus import (RULE_TESTS, RULES, Prometheus, free_ports, lacking_programs,  # noqa: E402
                        promtool)

REPRO = ["repro", "mmap-lock-fault"]
QUIET = [*REPRO, "--fix", "no-writer", "--expect", "quiet"]
# How a fleet on Slurm is scraped.
FLEET = os.path.join(TOP, "ci/nightly/slurm/prometheus.yml.fragment")
# Only after 10 s is there a usual throughput to compare with.
QUIET_SECONDS = 12
# A scrape, an evaluation of each rule group, and what a busy machine takes.
SOON = 5
# Long enough for NoProgress, which waits for 5 s.
ALLOWED_S = 8


def judge_files(checks):
    make = os.path.join(files.FOLDER, "source/make.py")
    checks.check("the dashboards are what their descriptions say",
                 os.spawnv(os.P_WAIT, sys.executable, [sys.executable, make, "--check"]) == 0,
                 "run dashboards/source/make.py")
    for name in files.NAMES:
        board = files.load(name)
        for claim, judge in files.JUDGEMENTS.items():
            checks.all(f"{name}: {claim}", judge(board))


def judge_rules(checks):
    """By promtool alone: syntax, and what each rule says of made-up series."""
    for words in (["check", "rules", *RULES], ["check", "config", "--syntax-only", FLEET],
                  ["test", "rules", *sorted(glob.glob(os.path.join(RULE_TESTS, "*.yml")))]):
        code, said = promtool(*words)
        checks.check(f"promtool {words[0]} {words[1]}", code == 0, said[-600:])


class Scene:
    """A Prometheus and the places it scrapes."""

    def __init__(self, space):
        self.space = space
        self.places = [f"127.0.0.1:{port}" for port in free_ports(4)]
        self.quiet, self.stalling, self.canary, self.marked = self.places
        self.prometheus = Prometheus(self.places, space)

    def start(self, address, *words):
        return Started([*words, "--listen", address, "--linger", "60s", "--quiet"], self.space)

    def scraped(self, address):
        return self.prometheus.wait_for(f'stallproof_ops_total{{instance="{address}"}} > 0', 15)

    def raised(self, name, address, seconds=SOON):
        return self.prometheus.wait_for(firing(name, address), seconds)

    def withdrawn(self, name, address, seconds=SOON):
        return self.prometheus.wait_for(f"absent({firing(name, address)})", seconds)


def firing(name, address):
    return f'ALERTS{{alertname="{name}",alertstate="firing",instance="{address}"}}'


def last_words(run):
    run.stop()
    ended = run.ended(1)
    reasons = (ended.verdict or {}).get("reasons")
    return f"{ended.describe()}; {reasons}"


def run_that_is_killed(checks, scene):
    """First its watchdog is stopped for a while, then its controller is killed."""
    address = scene.stalling
    run = scene.start(address, *QUIET, "--deadline", "60s")
    if not checks.check("a run is scraped", scene.scraped(address), "it is not"):
        return print(last_words(run))
    watchdog = run.wait_event(1, event="child", role="watchdog")["pid"]
    os.kill(watchdog, signal.SIGSTOP)
    time.sleep(1.5)
    os.kill(watchdog, signal.SIGCONT)
    checks.check("WatchdogBlind is raised after the watchdog stood still for 1.5 s",
                 scene.raised("WatchdogBlind", address), "it is not")
    run.signal(signal.SIGKILL)
    return run.wait(5)


def run_with_mark(checks, scene):
    """A stall in its window: no alert while it is allowed, all of them when it outlasts that."""
    address, mount = scene.marked, LoopFs("ext4")
    checks.at_end(mount.remove)
    run = scene.start(address, "run", "--target", mount.path, "--size", "16M", "--canary", "no",
                      "--duration", "40s")
    if not checks.check("the run with a mark is scraped", scene.scraped(address), "it is not"):
        return print(last_words(run))
    told = program(["mark", run.run_dir, "failover", "--allow", f"{ALLOWED_S}s", "--for", "60s"],
                   scene.space, no_out=True, seconds=10)
    frozen = time.monotonic()
    mount.freeze()
    known = f'stallproof_stall_allowed{{instance="{address}"}} > 0'
    checks.check("a stall in the window of a mark is told as allowed", told.code == 0 and
                 scene.prometheus.wait_for(known, 1 + SOON), told.describe())
    time.sleep(max(0.0, frozen + ALLOWED_S - 0.8 - time.monotonic()))
    raised = scene.prometheus.now(f'ALERTS{{instance="{address}"}}')
    checks.all("no alert is raised or pending of it", [str(labels) for labels, _ in raised])
    for name in ("StallActive", "NoProgress"):
        checks.check(f"{name} is raised when it outlasts what the mark allows",
                     scene.raised(name, address, 1 + SOON), "it is not")
    mount.thaw()
    for name in ("StallActive", "NoProgress"):
        checks.check(f"{name} of the run with a mark is withdrawn",
                     scene.withdrawn(name, address, 5 + SOON), "it is not")
    run.signal(signal.SIGINT)
    return run.wait(15)


def run_that_is_quiet(checks, scene):
    """While it runs the one with the mark does."""
    address = scene.quiet
    run = scene.start(address, *QUIET, "--deadline", f"{QUIET_SECONDS}s")
    run_with_mark(checks, scene)
    passed = f'stallproof_run_verdict{{instance="{address}",verdict="pass"}} == 1'
    if not checks.check("a quiet run passes", scene.prometheus.wait_for(passed, 30), "it does not"):
        print(last_words(run))


def run_with_canary(checks, scene):
    """On a target of its own, while the other load stands."""
    address = scene.canary
    target = Tmpfs()
    checks.at_end(target.remove)
    run = scene.start(address, "run", "--target", target.path, "--size", "16M", "--canary", "yes",
                      "--duration", "3s")
    made = f'stallproof_injection_active{{instance="{address}",nemesis="canary"}} == 1'
    if not checks.check("the canary is told as made on purpose",
                        scene.prometheus.wait_for(made, 15), "it is not"):
        print(last_words(run))


def run_that_stalls(checks, scene):
    address = scene.stalling
    checks.check("NodeSilent is raised of the run that was killed",
                 scene.raised("NodeSilent", address, 15 + SOON), "it is not")
    run = scene.start(address, *REPRO, "--hold", "--deadline", "60s")
    checks.check("NodeSilent is withdrawn when the node answers again",
                 scene.scraped(address) and scene.withdrawn("NodeSilent", address), "it is not")
    for name in ("StallActive", "LockCycle"):
        checks.check(f"{name} is raised while the stall stands", scene.raised(name, address),
                     "it is not")
    run_with_canary(checks, scene)
    checks.check("NoProgress is raised while the stall stands",
                 scene.raised("NoProgress", address, 5 + SOON), "it is not")
    run.signal(signal.SIGINT)
    for name in ("StallActive", "NoProgress"):
        checks.check(f"{name} is withdrawn when it is over", scene.withdrawn(name, address, 10),
                     "it is not")


def unanswered(prometheus, address, window):
    """Scrapes without an answer between the first and the last that had one."""
    series = prometheus.series(f'up{{instance="{address}"}}', *window)
    ups = [(float(at), float(value)) for _, samples in series for at, value in samples]
    live = [at for at, value in ups if value > 0]
    if not live:
        return ["no scrape at all was answered"]
    return [f"none {at - window[0]:.1f} s after the start" for at, value in ups
            if value == 0 and live[0] < at < live[-1]]


def judge_alerts(checks, scene, window):
    for what, address in (("quiet run", scene.quiet), ("canary", scene.canary)):
        raised = scene.prometheus.series(f'ALERTS{{instance="{address}"}}', *window)
        checks.all(f"no alert is raised or pending of the {what}",
                   [f"{labels['alertname']} {labels['alertstate']} for {len(samples)} s"
                    for labels, samples in raised])
    for what, address in (("quiet run", scene.quiet), ("run with a mark", scene.marked)):
        checks.all(f"the {what} answers every scrape until it ends",
                   unanswered(scene.prometheus, address, window))
    rules = scene.prometheus.rules()
    checks.all("every alert says what it means and what to do", judged.alert_words(rules))
    checks.all("no alert is raised of a disturbance that is made on purpose",
               judged.blind_to_injection(rules))
    checks.all("every series that a rule asks for is there",
               judged.rules_without_data(scene.prometheus, rules, window))


def judge_queries(checks, scene, window, keep):
    for name in files.NAMES:
        board = files.load(name)
        problems, answers = judged.queries_without_data(scene.prometheus, board, window)
        checks.all(f"{name}: every query has data", problems)
        if keep:
            with open(os.path.join(keep, name), "w", encoding="utf-8") as stream:
                json.dump({"window": window, "answers": answers}, stream)


def judge_metrics(checks, scene):
    exported = judged.exported_names(scene.prometheus.ask("label/__name__/values"))
    used = judged.used_names([files.load(name) for name in files.NAMES], scene.prometheus.rules())
    known = judged.names_in_reference()
    checks.all("every exported metric is in the reference",
               [f"{each} is not in dashboards/README.md" for each in sorted(exported - known)])
    checks.all("every metric of the reference is exported",
               [f"{each} is not exported" for each in sorted(known - exported)])
    checks.all("every metric that is asked for is exported",
               [f"{each} is not exported" for each in sorted(used - exported)])
    checks.row("metrics exported, of these on dashboards or in rules",
               f"{len(exported)}, {len(exported & used)}", "")


def with_runs(checks, keep):
    space = Workspace()
    checks.at_end(space.remove)
    scene = Scene(space)
    checks.at_end(scene.prometheus.stop)
    if not checks.check("Prometheus starts", scene.prometheus.wait_ready(10),
                        scene.prometheus.last_words()):
        return
    run_that_is_killed(checks, scene)
    run_that_is_quiet(checks, scene)
    run_that_stalls(checks, scene)
    ended = f'max(stallproof_run_verdict{{instance="{scene.canary}"}}) == 1'
    checks.check("the run with the canary has a verdict",
                 scene.prometheus.wait_for(ended, 20), "it has none")
    window = (scene.prometheus.began, time.time())
    judge_alerts(checks, scene, window)
    judge_queries(checks, scene, window, keep)
    judge_metrics(checks, scene)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-runs", action="store_true", help="only files and promtool")
    parser.add_argument("--keep", metavar="DIR",
                        help="keep the answers to all queries there, for ci/screenshots/panels.py")
    options = parser.parse_args()
    with Checks("dashboards", 190) as checks:
        judge_files(checks)
        lacking = lacking_programs()
        if lacking and options.without_runs:
            checks.skip("everything that needs Prometheus", lacking)
            return checks.code
        if not checks.check("Prometheus is installed", not lacking, lacking):
            return checks.code
        judge_rules(checks)
        if not options.without_runs:
            stop_if_lacking(checks)
            with_runs(checks, options.keep)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
