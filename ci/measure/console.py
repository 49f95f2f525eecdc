#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The live view at a real terminal, plain lines in a pipe, and JSON lines: what they show, that
they fit, that the terminal is as it was, and that no terminal can hold a run up."""

import argparse
import json
import os
import signal
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from program import BINARY, Workspace, read_text, run  # noqa: E402
from terminal import AtTerminal, usual_environment  # noqa: E402

REPRO = ("repro", "mmap-lock-fault")
HEADINGS = ("load", "ops/s", "p99~", "oldest")


def at_terminal(space, words, **options):
    run_dir = space.new("terminal")
    program = AtTerminal([BINARY, *words, "-o", run_dir + ".d"], **options)
    program.run_dir = run_dir + ".d"
    return program


def has_line(screen, *parts):
    return any(all(part in line for part in parts) for line in screen.seen)


def view_of_a_stall(checks, space):
    for width in (40, 80, 200):
        out = space.new("out")
        program = at_terminal(space, REPRO, width=width, stdout=out)
        try:
            modes = program.terminal_modes()
            program.read_until(60)
            screen = program.screen
            screen.remember()
            checks.check(f"{width} columns: the run ends as without a terminal",
                         program.code == 0, f"exit {program.code}")
            checks.check(f"{width} columns: headings and every load are shown",
                         has_line(screen, *HEADINGS) and has_line(screen, "fault")
                         and has_line(screen, "mprotect"), str(sorted(screen.seen)[:12]))
            checks.check(f"{width} columns: the stall is shown, and how old its operation is",
                         has_line(screen, "1 stall, standing") and has_line(screen, "s!"),
                         str(sorted(screen.seen)[:12]))
            checks.check(f"{width} columns: no line reaches the edge",
                         screen.wraps == 0 and all(len(line) < width for line in screen.seen),
                         f"{screen.wraps} wraps")
            checks.check(f"{width} columns: what was drawn is gone, the cursor at its place",
                         screen.shown() == [""] and screen.column == 0, str(screen.shown()))
            checks.check(f"{width} columns: nothing else was asked of the terminal",
                         not screen.unknown and program.terminal_modes() == modes,
                         str(screen.unknown))
        finally:
            program.close()
    checks.check("the results are on stdout, without an escape",
                 "pass" in read_text(out) and "\x1b" not in read_text(out), read_text(out)[-200:])


def everything_at_the_terminal(checks, space):
    program = at_terminal(space, REPRO, width=100, height=30)
    try:
        program.read_until(60)
        text = "\n".join(program.screen.lines)
        checks.check("text and view at one terminal: the text is whole",
                     program.code == 0 and "STALL" in text and "armed" in text
                     and "pass:" in text, text[-300:])
        checks.check("nothing of the view is left between the lines",
                     "p99~" not in text and "standing" not in text, text)
        checks.check("colours mark it", program.screen.coloured > 0, "")
    finally:
        program.close()


def view_of_a_run(checks, space):
    mount = Tmpfs()
    try:
        out = space.new("out")
        program = at_terminal(space, ("run", "--target", mount.path, "--size", "64m",
                                      "--duration", "6s"), width=120, stdout=out)
        program.read_until(4)
        program.resize(60, 10)
        program.read_until(60)
        program.screen.remember()
        seen = program.screen.seen
        checks.check("run: exit 0 at a terminal", program.code == 0, f"exit {program.code}")
        checks.check("run: time, what is left, loads, rates and their history are shown",
                     any("of 6s" in line and "left" in line for line in seen)
                     and has_line(program.screen, "direct-io") and has_line(program.screen, "█"),
                     str(sorted(seen)[:12]))
        checks.check("run: no stall, no dropout",
                     has_line(program.screen, "0 stalls", "0 dropouts"), str(sorted(seen)[:12]))
        checks.check("run: after the terminal became narrow the lines fit",
                     any(30 < len(line) < 60 for line in seen), "")
        program.close()
        for name, changes in (("NO_COLOR", {"NO_COLOR": "1"}), ("TERM=dumb", {"TERM": "dumb"})):
            program = at_terminal(space, ("run", "--target", mount.path, "--size", "64m",
                                          "--duration", "2s"),
                                  environment=usual_environment(**changes), stdout=out)
            program.read_until(60)
            drawn = b"p99~" in program.data
            checks.check(f"{name}: no colours" + (", and nothing drawn" if not drawn else ""),
                         program.screen.coloured == 0 and drawn == (name == "NO_COLOR")
                         and (drawn or b"\x1b" not in program.data), repr(program.data[:200]))
            program.close()
    finally:
        mount.remove()


def interrupted(checks, space):
    before = look()
    program = at_terminal(space, (*REPRO, "--fix", "split-pool", "--deadline", "30s"))
    try:
        modes = program.terminal_modes()
        program.read_until(20, lambda screen: any("p99~" in line for line in screen.lines))
        program.type(b"\x03")
        program.read_until(30)
        shown = program.screen.shown()
        checks.check("Ctrl-C ends it with 3 and leaves the terminal as it was",
                     program.code == 3 and program.terminal_modes() == modes
                     and not any("p99~" in line for line in shown)
                     and program.screen.column == 0, f"exit {program.code}: {shown[-5:]}")
    finally:
        program.close()
    checks.all("nothing is left after Ctrl-C", clean_machine(before))


def stopped_terminal(checks, space):
    out = space.new("out")
    usual = run(REPRO, space)
    program = at_terminal(space, REPRO, stdout=out)
    try:
        program.type(b"\x13")
        checks.check("a terminal stopped by Ctrl-S does not hold a run up",
                     program.wait_unread(usual.seconds + 10) and program.code == 0,
                     f"exit {program.code}, usually {usual.seconds:.1f} s")
    finally:
        program.close()
    program = at_terminal(space, REPRO, stdout=out)
    try:
        checks.check("nor does one that nobody reads",
                     program.wait_unread(usual.seconds + 10) and program.code == 0,
                     f"exit {program.code}, usually {usual.seconds:.1f} s")
    finally:
        program.close()


def in_a_pipe(checks, space):
    result = run(REPRO, space)
    checks.check("in a pipe there is no escape sequence and no view",
                 result.code == 0 and "\x1b" not in result.out + result.err
                 and "p99~" not in result.out + result.err, result.describe())
    quiet = run((*REPRO, "--quiet"), space)
    lines = quiet.out.strip().splitlines()
    checks.check("--quiet says the results only", quiet.code == 0 and lines
                 and not any(line.startswith("+") for line in lines) and not quiet.err, str(lines))


def objects_of(checks, name, result):
    found = []
    for line in result.out.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            checks.check(f"{name}: every line is an object", False, line[:200])
            return []
    checks.check(f"{name}: every line is an object",
                 found and all(isinstance(each, dict) and "event" in each for each in found),
                 result.describe())
    return found


def json_lines(checks, space):
    result = run((*REPRO, "--json-lines"), space)
    found = objects_of(checks, "repro --json-lines", result)
    events = [each["event"] for each in found]
    checks.check("stall, explanation, its end and the verdict are among them",
                 result.code == 0 and all(event in events for event in
                                          ("stall", "explained", "stall_resolved", "verdict")),
                 f"{result.describe()} {events}")
    checks.check("the verdict comes last", events and events[-1] == "verdict"
                 and found[-1]["verdict"] == "pass", str(events[-2:]))
    checks.check("there is one object of figures for each second",
                 events.count("figures") >= int(found[-1]["duration_s"]) - 1,
                 f"{events.count('figures')} in {found[-1]['duration_s']} s" if found else "")
    figures = [each for each in found if each["event"] == "figures"]
    checks.check("figures have rates, latency and age",
                 figures and any(load["ops_per_s"] > 0 and load["p99_us_interpolated"]
                                 for load in figures[0]["loads"])
                 and any(load["oldest_ms"] > 900 for load in figures[-1]["loads"]),
                 str(figures[:1]))
    saved = [json.loads(line) for line in
             read_text(os.path.join(result.run_dir, "events.jsonl")).splitlines()]
    checks.check("every event that is recorded is among them",
                 all(event in found for event in saved), f"{len(saved)} recorded")
    both = run((*REPRO, "--json-lines", "--json"), space)
    checks.check("one document and lines exclude each other", both.code == 2, both.describe())
    command = run(("watch", "--json-lines"), space, after=("--", "sh", "-c", "echo text; sleep 2"))
    found = objects_of(checks, "watch --json-lines", command)
    checks.check("what the command says goes to stderr", "text" in command.err and found
                 and found[-1]["event"] == "verdict", command.describe())


def watched(checks, space):
    program = at_terminal(space, ("watch", "--pid", str(os.getpid()), "--duration", "4s"), width=90)
    program.read_until(30)
    program.screen.remember()
    checks.check("watch: the processes and their calls are shown",
                 has_line(program.screen, f"-{os.getpid()}"), str(sorted(program.screen.seen)[:9]))
    program.close()
    program = AtTerminal([BINARY, "watch", "-o", space.new("command"), "--", "sh", "-c",
                          "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done"])
    program.read_until(30)
    text = program.screen.lines
    checks.check("watch: a command's own lines are whole",
                 all(f"line {i}" in text for i in range(1, 7)), str(text))
    program.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help="only these")
    options = parser.parse_args()
    with Checks("console", 420) as checks:
        stop_if_lacking(checks)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        space = Workspace()
        checks.at_end(space.remove)
        parts = (view_of_a_stall, everything_at_the_terminal, view_of_a_run, interrupted,
                 stopped_terminal, in_a_pipe, json_lines, watched)
        began = time.monotonic()
        for part in parts:
            if not options.parts or part.__name__ in options.parts:
                part(checks, space)
        checks.row("all of it, s", round(time.monotonic() - began), "420")
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
