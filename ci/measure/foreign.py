# SPDX-License-Identifier: Apache-2.0
"""Load that is not ours on the FUSE target: starts ffs_target and the example loads, arms, heals.
Every wait has a deadline; nothing is left when stop() has returned."""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from program import TOP

BUILD = os.environ.get("SP_BUILD", os.path.join(TOP, "build/dev"))
TARGET = os.path.join(BUILD, "workloads/ffs_target")
EXAMPLES = os.path.join(TOP, "examples/foreign-load")
ARM = {"read-error": signal.SIGUSR1, "invalidate": signal.SIGUSR2}


class FfsTarget:
    """A mounted target. `with FfsTarget() as target:` unmounts whatever happens."""

    def __init__(self, *words):
        self.mount = tempfile.mkdtemp(prefix="stallproof-foreign-", dir="/run")
        self.process = subprocess.Popen(
            [TARGET, f"mount={self.mount}", "file-size=200t", "direct-open=lock-client", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)
        self.lines = []
        if self.line_with("mount", 10) is None:
            self.stop()
            raise RuntimeError("ffs_target did not mount")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def line_with(self, key, seconds):
        """The next JSON line that has this key; None at the deadline."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.1)
            if not ready:
                continue
            text = self.process.stdout.readline()
            if not text:
                return None
            self.lines.append(json.loads(text))
            if key in self.lines[-1]:
                return self.lines[-1]
        return None

    def arm(self, behaviour):
        """CLOCK_MONOTONIC milliseconds of the moment, or None."""
        os.kill(self.process.pid, ARM[behaviour])
        line = self.line_with("armed", 2)
        return line["monotonic_ms"] if line else None

    def heal(self):
        """Aborts the connection by umount -f, which returns though the mount is busy."""
        subprocess.run(["umount", "-f", self.mount], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=10, check=False)

    def stop(self):
        """The counters the target ended with, or None; once."""
        if self.process.stdout.closed:
            return None
        self.heal()
        subprocess.run(["umount", "-l", self.mount], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=10, check=False)
        self.process.stdin.close()
        counters = self.line_with("page_reads", 4)
        try:
            self.process.wait(4)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(4)
        self.process.stdout.close()
        shutil.rmtree(self.mount, ignore_errors=True)
        return counters


def fio_command(mount, seconds):
    job = os.path.join(EXAMPLES, "direct-and-mapped.fio")
    return ["env", f"TARGET={mount}", f"SECONDS_TO_RUN={seconds}", "fio", "--output=/dev/null", job]


def java_command(mount, seconds, classes):
    return ["java", "-cp", classes, "DirectAndMapped", f"{mount}/data", str(seconds)]


def compile_java(folder):
    """Compiles the example; the folder of its classes."""
    source = os.path.join(EXAMPLES, "DirectAndMapped.java")
    subprocess.run(["javac", "-d", folder, source], check=True, timeout=120)
    return folder
