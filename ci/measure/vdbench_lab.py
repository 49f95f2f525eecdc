# SPDX-License-Identifier: Apache-2.0
"""What measurements of vdbench's parameter files share: luns of their own, runs, and their rows."""

import os
import re
import subprocess
import tempfile
import time

from program import Started, read_json, read_text

MEBIBYTE = 1 << 20
# A third party's rule for rows on stdout that are no averages.
ROW = re.compile(r"^(\d|\s|:|\.)+?$")


class Folder:
    """A tmpfs of our own for luns and parameter files."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="stallproof-vdbench-", dir="/run")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", self.path], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        os.rmdir(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def parameters(self, *lines, name="p.parm"):
        text = "\n".join(lines).replace("@", self.path)
        with open(self.file(name), "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        return self.file(name)


def start(folder, space, lines, *words, command="vdbench", **options):
    path = folder.parameters(*lines)
    given = ["vdbench", "-f", path] if command == "vdbench" else [command, path]
    return Started([*given, *words], space, **options)


def ended(folder, space, lines, *words, seconds=60, **options):
    return start(folder, space, lines, *words, **options).ended(seconds)


def rows(text):
    """{run: [fields of each interval row]} of stdout."""
    found, name = {}, None
    for line in text.splitlines():
        begun = re.search(r"Starting RD=([^;]+);", line)
        name = begun.group(1) if begun else name
        if ROW.match(line) and len(line.split()) == 15:
            found.setdefault(name, []).append(line.split())
    return found


def averages(text):
    found, name = [], None
    for line in text.splitlines():
        begun = re.search(r"Starting RD=([^;]+);", line)
        name = begun.group(1) if begun else name
        if "avg_" in line:
            found.append((name, line.replace("avg_", " avg_").split()))
    return found


def flat(run_dir):
    """(names, rows) of flatfile.html."""
    lines = [line for line in read_text(os.path.join(run_dir, "flatfile.html")).splitlines()
             if line and not line.startswith(("*", "<"))]
    return lines[0].split(), [line.split() for line in lines[1:]]


def verdict(result):
    return read_json(os.path.join(result.run_dir, "verdict.json")) or {}


def near(value, wanted, share):
    return abs(float(value) - wanted) <= wanted * share


QUIET = ("sd=sd1,lun=@/one,size=64m,threads=4", "wd=wd1,sd=sd1,xfersize=4k,rdpct=70")
PACED = (*QUIET, "rd=rd1,wd=wd1,iorate=300,elapsed=9,interval=1")


def worker_of(started):
    begun = started.wait_event(20, event="run_started", run="rd1")
    return begun["worker"] if begun else None


class FrozenFileSystem:
    """An ext4 on a loop file of our own, which can be frozen: writes then block, unkillable."""

    def __init__(self, folder):
        self.image, self.path = folder.file("image"), folder.file("ext4")
        with open(self.image, "wb") as image:
            image.truncate(96 * MEBIBYTE)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        os.mkdir(self.path)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        self.frozen = False

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", self.path], check=True)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            subprocess.run(["fsfreeze", "-u", self.path], check=False)
        self.frozen = False

    def remove(self):
        self.thaw()
        time.sleep(0.3)
        subprocess.run(["umount", self.path], check=False)
        os.remove(self.image)
