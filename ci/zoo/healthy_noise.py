# SPDX-License-Identifier: Apache-2.0
"""Healthy but noisy: processes that take the CPUs, and a watched load on a tmpfs beside them."""

import multiprocessing
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "measure"))

from own_mounts import Tmpfs  # noqa: E402
from program import run  # noqa: E402


def burn(parent):
    # A session of its own: where the scheduler shares the CPUs among sessions (autogroup), all
    # that burn together would have no more of them than one load. Nobody ends it with the group of
    # the script then, so it ends when the script is gone.
    os.setsid()
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


class Burners:
    """`with Burners(8):` eight processes each take all of a CPU that they get."""

    def __init__(self, count):
        context = multiprocessing.get_context("fork")
        self.processes = [context.Process(target=burn, args=(os.getpid(),), daemon=True)
                          for _ in range(count)]

    def __enter__(self):
        for each in self.processes:
            each.start()
        return self

    def __exit__(self, *_):
        for each in self.processes:
            each.kill()
        for each in self.processes:
            each.join(5)


class HealthyNoise:
    """Loads on a tmpfs of its own for some seconds at a time, watched: what is told is false."""

    def __init__(self, space):
        self.space, self.mount = space, Tmpfs()

    def make(self, seconds):
        """Sentences about what was told of it."""
        with Burners(os.cpu_count() or 1):
            ended = run(["run", "--target", self.mount.path, "--duration", f"{seconds}s", "--size",
                         "64MiB", "--json"], self.space, seconds + 60)
        if ended.doc is None:
            return [ended.describe()]
        return [f"false alarm in healthy noise: {stall.get('class')}"
                for stall in ended.doc.get("stalls", [])]

    def remove(self):
        self.mount.remove()
