#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/story: a build that stalls fails the gate with the right explanation, its fix passes the
same gate, and the history shows the stall in the one build and not in the other."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import BINARY, TOP, Workspace, read_text  # noqa: E402

SIGNATURE = "mmap_lock_cycle:fault_read>mprotect_write>service_read"


def main():
    with Checks("story", 115) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        before = look()
        place = space.new("story")
        told = subprocess.run([os.path.join(TOP, "examples/story/run"), place], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=100,
                              check=False, env={**os.environ, "STALLPROOF": BINARY})
        checks.check("the story comes to its end", told.returncode == 0,
                     f"exit {told.returncode}: {told.stderr[-300:]} {told.stdout[-300:]}")
        first, _, rest = told.stdout.partition("== build 1.1")
        second, _, history = rest.partition("== the history")
        checks.check("build 1.0 fails, and the stall is named",
                     "FAIL build 1.0" in first and "mmap_lock_cycle" in first, first[-400:])
        checks.check("build 1.1 passes", "PASS build 1.1" in second, second[-400:])
        builds = [build for build in ("1.0", "1.1") if f" {build} " in history]
        checks.check("the history knows the stall, of build 1.0 only",
                     SIGNATURE in history and builds == ["1.0"], history[-400:])
        graph = read_text(os.path.join(place, "gate-1.0.md"))
        checks.check("the summary of build 1.0 draws who waits for whom", "```mermaid" in graph,
                     graph[:200])
        checks.all("the machine is as before", clean_machine(before))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
