# SPDX-License-Identifier: Apache-2.0
"""Mounts of our own to run loads on: tmpfs, ext4 and xfs on loop files, and the FUSE target as a
file system that one can write to. Each has `path` and remove(), which always ends with it gone."""

import os
import shutil
import subprocess
import tempfile
import time

from foreign import FfsTarget

SCRATCH = ".stallproof-"


def quiet(*words, check=False):
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=60, check=check).returncode == 0


class Tmpfs:
    name = "tmpfs"

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="stallproof-own-", dir="/run")
        quiet("mount", "-t", "tmpfs", "-o", "size=1g", "none", self.path, check=True)

    def remove(self):
        quiet("umount", "-l", self.path)
        os.rmdir(self.path)


class LoopFs:
    """A file system in a sparse file. Its image lies on a disk, for tmpfs would hold it twice."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="stallproof-loop-", dir="/var/tmp")
        self.image, self.path = self.folder + "/image", self.folder + "/mnt"
        os.mkdir(self.path)
        with open(self.image, "wb") as image:
            image.truncate(2 << 30)
        quiet(f"mkfs.{name}", "-q", self.image, check=True)
        self.mount()
        self.frozen = False

    def mount(self):
        quiet("mount", "-o", "loop", self.image, self.path, check=True)

    def freeze(self):
        quiet("fsfreeze", "-f", self.path, check=True)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            quiet("fsfreeze", "-u", self.path)
        self.frozen = False

    def remove(self):
        self.thaw()
        for _ in range(20):
            if quiet("umount", self.path) or not os.path.ismount(self.path):
                break
            time.sleep(0.2)
        shutil.rmtree(self.folder, ignore_errors=True)


class Ffs:
    """Our FUSE target, with what it is started with beside being writable."""
    name = "fuse"

    def __init__(self, *words):
        self.target = FfsTarget("writable=yes", *words)
        self.path = self.target.mount

    def arm(self, behaviour):
        return self.target.arm(behaviour)

    def abort(self):
        self.target.heal()

    def remove(self):
        self.target.stop()


def scratch_left(path):
    """What runs have left in a target."""
    return [name for name in os.listdir(path) if name.startswith(SCRATCH)]


MOUNTS = (Tmpfs, lambda: LoopFs("ext4"), lambda: LoopFs("xfs"), Ffs)
