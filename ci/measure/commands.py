#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that only look: explain, list, doctor and help exit as promised, whatever their input
is and wherever their output goes, and say one line when something is wrong."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

from checks import Checks  # noqa: E402
from program import BINARY, TOP, Workspace  # noqa: E402

CRASH = os.path.join(TOP, "examples/seed-crash")
HOLDER = os.path.join(CRASH, "bt-holder.txt")
FS = os.path.join(TOP, "harness/explain/fs/ffs.toml")


def call(words, out=subprocess.PIPE):
    """(exit code, stdout, lines on stderr) of one command."""
    done = subprocess.run([BINARY, *words], stdin=subprocess.DEVNULL, stdout=out,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    return done.returncode, done.stdout or b"", done.stderr.decode(errors="replace").splitlines()


def one_line(checks, name, words, code):
    got, out, err = call(words)
    checks.check(f"{name}: exit {code} and one line", got == code and len(err) == 1 and not out,
                 f"exit {got}, {len(err)} lines: {err[:2]}")


def outputs_that_do_not_arrive(checks):
    for words in (["explain", HOLDER], ["list", "scenarios"], ["list", "scenarios", "--json"],
                  ["doctor"], ["doctor", "--json"], ["help"]):
        with open("/dev/full", "wb") as full:
            code, _, err = call(words, full)
        name = " ".join(os.path.basename(word) for word in words)
        checks.check(f"{name} into a full disk: exit 3 and one line",
                     code == 3 and len(err) == 1, f"exit {code}: {err[:2]}")
        code, out, err = call(words)
        checks.check(f"{name} into a pipe: no such line",
                     code in (0, 77) and out and not any("standard output" in line for line in err),
                     f"exit {code}: {err[:2]}")


def inputs_without_crash_text(checks, space):
    for name, content in (("empty", b""), ("binary", bytes(range(256)) * 4096)):
        path = space.new(name)
        with open(path, "wb") as stream:
            stream.write(content)
        one_line(checks, f"explain FILE ({name})", ["explain", path], 3)
    one_line(checks, "explain /dev/null", ["explain", "/dev/null"], 3)
    one_line(checks, "explain of a directory without a run", ["explain", space.path], 2)


def options(checks):
    code, out, err = call(["explain", "--fs", FS, HOLDER])
    checks.check("explain --fs FILE leaves the next word alone", code == 0 and out,
                 f"exit {code}: {err[:2]}")
    one_line(checks, "doctor of a missing target", ["doctor", "--target", "/nonexist"], 2)
    one_line(checks, "a parameter beyond its limit",
             ["repro", "mmap-lock-fault", "--param", "direct-size=2MiB"], 2)


def live(checks):
    if os.geteuid() != 0:
        checks.skip("explain --live", "not root")
        return
    code, out, err = call(["explain", "--live"])
    if err or b"Not seen" in out:
        checks.skip("explain --live with full sight", "this machine shows less")
    else:
        checks.check("explain --live with full sight: exit 0", code == 0, f"exit {code}")
    without = [sys.executable, os.path.join(os.path.dirname(__file__), "without_bpf.py"), BINARY]
    done = subprocess.run([*without, "explain", "--live"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)
    checks.check("explain --live without BPF: exit 3, explained all the same",
                 done.returncode == 3 and done.stdout,
                 f"exit {done.returncode}: {done.stderr[:160]}")


def main():
    space = Workspace()
    with Checks("commands", 120) as checks:
        checks.at_end(space.remove)
        outputs_that_do_not_arrive(checks)
        inputs_without_crash_text(checks, space)
        options(checks)
        live(checks)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
