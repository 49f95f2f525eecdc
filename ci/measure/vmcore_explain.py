# SPDX-License-Identifier: Apache-2.0
"""One run of explain, with what it and the process that reads the dump for it took."""

import collections
import os
import subprocess
import tempfile
import time

from program import BINARY

Ran = collections.namedtuple("Ran", "code out err seconds peak_kib")


def run(*words):
    # Outputs in files: see program.py.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen([BINARY, "explain", *words], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Ran(child.returncode, out.read().decode(errors="replace"),
                   err.read().decode(errors="replace"), seconds, usage.ru_maxrss)


def explain(path, *words):
    return run("--vmcore", path, *words)


def explain_text(path):
    return run("--crash-text", path, "--json")
