# SPDX-License-Identifier: Apache-2.0
"""A process short of memory in a control group of its own: it reads a file larger than the group
may keep, over and over, so that every page it reads costs another one."""

import glob
import os
import subprocess
import sys
import time

LIMIT, FILE = 48 << 20, 128 << 20
READER = """
import os, sys
place = os.open(sys.argv[1], os.O_RDONLY)
while True:
    for at in range(0, int(sys.argv[2]), 1 << 20):
        os.pread(place, 1 << 20, at)
"""


def memory_groups():
    """(folder in which groups are made, file of the limit), for cgroup v1 and v2; None: neither."""
    for folder in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        for limit, sign in (("memory.limit_in_bytes", "memory.limit_in_bytes"),
                            ("memory.max", "cgroup.subtree_control")):
            try:
                with open(os.path.join(folder, sign), encoding="ascii") as stream:
                    if sign == limit or "memory" in stream.read():
                        return folder, limit
            except OSError:
                pass
    return None


class MemoryPressure:
    """`folder`: on a file system whose pages can be dropped, thus not tmpfs."""

    def __init__(self, folder):
        found = memory_groups()
        if found is None:
            raise RuntimeError("no memory controller for control groups here")
        self.group = os.path.join(found[0], f"stallproof-noise-{os.getpid()}")
        self.process = None
        os.mkdir(self.group)
        try:
            self.start(os.path.join(folder, "pressed"), found[1])
        except BaseException:
            self.remove()
            raise

    def start(self, path, limit):
        with open(os.path.join(self.group, limit), "w", encoding="ascii") as stream:
            stream.write(str(LIMIT))
        with open(path, "wb") as stream:
            for _ in range(FILE >> 20):
                stream.write(os.urandom(4096) * 256)
            # What stays in the page cache is charged to us, and costs the group nothing.
            stream.flush()
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.process = subprocess.Popen([sys.executable, "-ISc", READER, path, str(FILE)],
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        with open(os.path.join(self.group, "cgroup.procs"), "w", encoding="ascii") as stream:
            stream.write(str(self.process.pid))

    def times_at_limit(self):
        """How often the group was full, as far as the kernel counts it."""
        try:
            with open(os.path.join(self.group, "memory.failcnt"), encoding="ascii") as stream:
                return int(stream.read())
        except OSError:
            with open(os.path.join(self.group, "memory.events"), encoding="ascii") as stream:
                return dict(line.split() for line in stream).get("max", 0)

    def remove(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
        for _ in range(50):
            try:
                return os.rmdir(self.group)
            except OSError:
                time.sleep(0.05)
        return print(f"{self.group} is left: {glob.glob(self.group + '/*.procs')}", flush=True)
