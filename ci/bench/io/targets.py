# SPDX-License-Identifier: Apache-2.0
"""What the I/O bench reads and writes: a file on a tmpfs, a file on an ext4 of the machine's own
disk, a loop device. Each is made by us, filled, and removed."""

import os
import subprocess
import tempfile

MEBIBYTE = 1 << 20


def filled_file(path, size):
    """A file without holes: reads of holes cost less than reads of blocks."""
    block = os.urandom(MEBIBYTE)
    with open(path, "wb") as stream:
        for _ in range(size // MEBIBYTE):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    return path


class Tmpfs:
    name = "tmpfs file"
    workers = True  # io_uring hands each I/O to a worker: it cannot be made without blocking
    size = 512 * MEBIBYTE

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="stallproof-bench-", dir="/run")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "none", self.folder], check=True,
                       timeout=10)
        self.path = filled_file(os.path.join(self.folder, "data"), self.size)

    def remove(self):
        subprocess.run(["umount", "-l", self.folder], check=False, timeout=10)
        os.rmdir(self.folder)


class DiskFile:
    """Where the temporary files of this machine lie, which has to be a disk."""
    name = "ext4 file"
    workers = False
    size = 1024 * MEBIBYTE

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="stallproof-bench-", dir="/var/tmp")
        self.path = filled_file(os.path.join(self.folder, "data"), self.size)

    def remove(self):
        os.remove(self.path)
        os.rmdir(self.folder)

    def filesystem(self):
        done = subprocess.run(["stat", "-f", "-c", "%T", self.folder], capture_output=True,
                              text=True, check=False, timeout=10)
        return done.stdout.strip()


class LoopDevice:
    """Over a file on the disk, with direct I/O below, so that the page cache is not measured."""
    name = "loop device"
    workers = False

    def __init__(self):
        self.below = DiskFile()
        self.path = None
        done = subprocess.run(["losetup", "--find", "--show", "--direct-io=on", self.below.path],
                              capture_output=True, text=True, check=True, timeout=10)
        self.path = done.stdout.strip()

    def remove(self):
        if self.path:
            subprocess.run(["losetup", "--detach", self.path], check=False, timeout=10)
        self.below.remove()


def takes_direct_io(path):
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
        return True
    except OSError:
        return False
