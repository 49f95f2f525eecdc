#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Marks: a stall inside the window fails only by outlasting what is allowed, one outside as ever;
the metrics say so, and --notify tells of it only then; marks reach a controller that is busy, and
are refused where nobody would read them."""

import os
import signal
import sys
import time

sys.dont_write_bytecode = True

import scrape  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from notices import Recorder  # noqa: E402
from own_mounts import LoopFs, scratch_left  # noqa: E402
from program import Started, Workspace, parse_object, read_json, read_text, run  # noqa: E402

FAIL_AFTER_S = 2


def verdict(result):
    return read_json(os.path.join(result.run_dir, "verdict.json")) or {}


def start(mount, space, seconds, *more):
    started = Started(["run", "--target", mount.path, "--size", "64m", "--canary", "no",
                       "--fail-after", f"{FAIL_AFTER_S}s", "--duration", f"{seconds}s", *more],
                      space)
    started.wait_event(60, event="load_started")
    time.sleep(0.5)
    return started


def mark(space, run_dir, text, *words):
    return run(["mark", run_dir, text, *words, "--json"], space, no_out=True, seconds=10)


def stalled_for(mount, seconds):
    mount.freeze()
    time.sleep(seconds)
    mount.thaw()


def standing(found):
    """Some class of stall stands, by any count."""
    return [series for series, value in found.items()
            if series.startswith("stallproof_stall_active{") and value > 0]


def told_as_allowed(found):
    problems = []
    for series, wanted in (("stallproof_mark_allowed_seconds", 20),
                           ('stallproof_injection_active{nemesis="mark"}', 1),
                           ('stallproof_injection_active{nemesis="canary"}', 0)):
        if found.get(series) != wanted:
            problems.append(f"{series} is {found.get(series)}, not {wanted}")
    for series in standing(found):
        if found.get(series.replace("_active", "_allowed")) != found[series]:
            problems.append(f"{series} is not allowed")
    return problems if standing(found) else ["no stall stands"]


def inside(checks, space, mount):
    port, recorder = scrape.port_free(), Recorder(space)
    started = start(mount, space, 9, "--listen", str(port), "--notify", recorder.path)
    told = mark(space, started.run_dir, "failover, a to b", "--allow", "20s", "--for", "30s")
    mount.freeze()
    frozen = time.monotonic()
    # Within what the mark allows; later than --fail-after where threads queue for the CPUs.
    body = scrape.wait_for(port, 6, standing)
    checks.all("while it stands the metrics say that it is allowed",
               told_as_allowed(scrape.values(body)))
    time.sleep(max(0.0, frozen + FAIL_AFTER_S + 2 - time.monotonic()))
    mount.thaw()
    result = started.ended(60)
    events = [each["event"] for each in recorder.told()]
    checks.check("nobody is told of it", events == ["verdict"], str(events))
    doc, answer = verdict(result), parse_object(told.out) or {}
    checks.check("mark says what it wrote", told.code == 0 and answer.get("allow_ms") == 20000 and
                 answer.get("text") == "failover, a to b", told.describe())
    checks.check("a stall that the mark allows does not fail the run",
                 result.code == 0 and doc.get("verdict") == "pass",
                 f"{result.describe()} {doc.get('reasons')}")
    stalls = [(stall["marked"], stall["failing"]) for stall in doc.get("stalls", [])]
    checks.check("and is shown with it", stalls == [(True, False)], str(doc.get("stalls")))
    marks = doc.get("marks") or [{}]
    checks.check("the verdict has the mark", len(marks) == 1 and
                 marks[0].get("allow_ms") == 20000 and
                 round(marks[0]["end_ms"] - marks[0]["start_ms"]) == 30000, str(marks))
    events = [each for each in result.events() if each.get("event") == "mark"]
    checks.check("so have the events", len(events) == 1, str(events))
    rows = read_text(result.run_dir + "/series/windows.csv").splitlines()
    checks.check("and the windows", len(rows) == 2 and rows[1].endswith(',mark,"failover, a to b"'),
                 str(rows))


def outlasts(checks, space, mount):
    recorder = Recorder(space)
    started = start(mount, space, 9, "--notify", recorder.path)
    mark(space, started.run_dir, "failover", "--allow", "2s", "--for", "30s")
    stalled_for(mount, FAIL_AFTER_S + 2.5)
    result = started.ended(60)
    events = [each["event"] for each in recorder.told()]
    checks.check("of a stall that outlasts what is allowed --notify tells", events ==
                 ["stall", "resolved", "verdict"], str(events))
    checks.check("a stall that outlasts what is allowed fails the run", result.code == 1 and
                 [each["marked"] for each in verdict(result).get("stalls", [])] == [True],
                 f"{result.describe()} {verdict(result).get('stalls')}")


def outside(checks, space, mount):
    started = start(mount, space, 10)
    mark(space, started.run_dir, "failover", "--allow", "20s", "--for", "500ms")
    time.sleep(2)
    stalled_for(mount, FAIL_AFTER_S + 2)
    result = started.ended(60)
    checks.check("a stall after the window fails the run", result.code == 1 and
                 [each["marked"] for each in verdict(result).get("stalls", [])] == [False],
                 f"{result.describe()} {verdict(result).get('stalls')}")


def busy(checks, space, mount):
    started = start(mount, space, 5)
    started.signal(signal.SIGSTOP)
    told = mark(space, started.run_dir, "while it is stopped")
    started.signal(signal.SIGCONT)
    result = started.ended(60)
    texts = [each["text"] for each in verdict(result).get("marks", [])]
    checks.check("a stopped controller has it later", told.code == 0 and
                 texts == ["while it is stopped"], f"{told.describe()} {texts}")
    return result


def refused(checks, space, finished):
    cases = {
        "a run that has ended": ([finished.run_dir, "late"], "ended"),
        "no run": ([finished.run_dir + "-none", "x"], "no such run"),
        "an empty text": ([finished.run_dir, ""], "TEXT"),
        "two lines": ([finished.run_dir, "a\nb"], "text"),
        "--allow without --for": ([finished.run_dir, "x", "--allow", "5s"], "--for"),
        "a span that is none": ([finished.run_dir, "x", "--for", "soon"], "soon"),
    }
    for name, (words, said) in cases.items():
        result = run(["mark", *words], space, no_out=True, seconds=10)
        checks.check(f"refused in one line: {name}", result.code == 2 and said in result.err and
                     len(result.err.strip().splitlines()) == 1, f"{result.code} {result.err}")
    before = read_text(finished.run_dir + "/marks.jsonl")
    run(["mark", finished.run_dir, "late"], space, no_out=True)
    checks.check("and nothing of an ended run is changed",
                 read_text(finished.run_dir + "/marks.jsonl") == before, "marks.jsonl changed")


def main():
    with Checks("mark", 240) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        mount = LoopFs("ext4")
        checks.at_end(mount.remove)
        inside(checks, space, mount)
        outlasts(checks, space, mount)
        outside(checks, space, mount)
        refused(checks, space, busy(checks, space, mount))
        checks.all("nothing is left on the target", scratch_left(mount.path))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
