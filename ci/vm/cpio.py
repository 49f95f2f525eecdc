# SPDX-License-Identifier: Apache-2.0
"""Writes an initramfs: a newc cpio archive (Documentation/driver-api/early-userspace), gzipped, all
root's, with the device nodes that only root could make on disk."""

import gzip
import os
import stat

DIRECTORY, REGULAR, LINK = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK


class Archive:
    def __init__(self):
        self.entries = {}

    def folder(self, path):
        """Also its parents: the kernel makes none."""
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.folder(parent)
        self.entries.setdefault(path, (DIRECTORY | 0o755, b"", (0, 0)))

    def file(self, path, content, mode=0o755):
        self.folder(os.path.dirname(path))
        self.entries[path] = (REGULAR | mode, content, (0, 0))

    def console(self):
        self.folder("dev")
        self.entries["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))

    def has(self, path):
        return path in self.entries

    def write(self, target):
        with gzip.open(target, "wb", compresslevel=1) as out:
            for number, (path, entry) in enumerate(self.entries.items(), 1):
                out.write(record(number, path, *entry))
            out.write(record(0, "TRAILER!!!", 0, b"", (0, 0)))


def record(number, path, mode, content, device):
    name = path.encode() + b"\0"
    numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % each for each in numbers)
    return padded(head + name) + padded(content)


def padded(data):
    return data + b"\0" * (-len(data) % 4)
