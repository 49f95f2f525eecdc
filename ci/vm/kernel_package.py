# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel of today, unpacked into the cache without root: what linux-image-amd64 depends
on, with the headers of the same version. A kernel once unpacked is used when the archive is
away."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from errors import INFRASTRUCTURE, VmError
from kernel import Kernel
from places import cache, cache_lock

META = "linux-image-amd64"
READY = "ready"


def current(meta=META):
    """The kernel that the meta package names now; the newest in the cache when apt names none."""
    package = image_of(meta)
    if package is None:
        return newest_cached(meta)
    release = package[len("linux-image-"):]
    version = field(package, "Version")
    if version is None:
        return newest_cached(meta)
    folder = os.path.join(cache(), f"{release}_{version.replace(':', '%3a')}")
    if not os.path.exists(os.path.join(folder, READY)):
        with cache_lock("kernel"):
            if not os.path.exists(os.path.join(folder, READY)):
                fetch(package, release, version, folder)
    return kernel_in(folder, release)


def kernel_in(folder, release):
    return Kernel(release, os.path.join(folder, "boot", "vmlinuz-" + release), folder,
                  os.path.join(folder, "usr/src/linux-headers-" + release))


def newest_cached(meta):
    found = [name for name in os.listdir(cache())
             if os.path.exists(os.path.join(cache(), name, READY))]
    if not found:
        raise VmError(f"apt knows no kernel behind {meta} and none is in {cache()}; run apt-get "
                      "update, or give --kernel PATH", INFRASTRUCTURE)
    name = max(found, key=lambda each: os.path.getmtime(os.path.join(cache(), each, READY)))
    print(f"apt knows no kernel behind {meta}; taking {name} of the cache", file=sys.stderr)
    return kernel_in(os.path.join(cache(), name), name.split("_", 1)[0])


def image_of(meta):
    """linux-image-RELEASE, or None."""
    depends = field(meta, "Depends") or ""
    found = re.search(r"linux-image-\d[^ ,|(]*", depends)
    return found.group() if found else None


def field(package, name):
    """A field of the candidate's record in apt's lists, or None."""
    try:
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", package],
                               capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rf"^{name}: (.*)$", shown.stdout, re.M)
    return found.group(1) if found else None


def packages(image, release):
    """The image and what building a module against it needs: kernel packages only, no compiler."""
    wanted, todo = [image], ["linux-headers-" + release]
    while todo:
        package = todo.pop()
        if package in wanted:
            continue
        wanted.append(package)
        depends = field(package, "Depends") or ""
        todo += re.findall(r"\blinux-(?:headers|kbuild|compiler)-[^ ,|()]*", depends)
    return wanted


def fetch(image, release, version, folder):
    """Downloads, unpacks beside `folder` and renames: a half of it is never used."""
    print(f"fetching {image} {version} and its headers into {cache()}", file=sys.stderr)
    work = tempfile.mkdtemp(prefix="unpack-", dir=cache())
    try:
        download(packages(image, release), work)
        root = os.path.join(work, "root")
        for name in sorted(os.listdir(work)):
            if name.endswith(".deb"):
                call(["dpkg-deb", "-x", os.path.join(work, name), root], f"unpacking {name}")
        if not os.path.isdir(os.path.join(root, "lib/modules")) and os.path.isdir(
                os.path.join(root, "usr/lib/modules")):
            os.symlink("usr/lib", os.path.join(root, "lib"))
        call(["depmod", "-b", root, release], "depmod")
        point_headers_at(os.path.join(root, "usr/src/linux-headers-" + release), folder)
        with open(os.path.join(root, READY), "w", encoding="utf-8") as stream:
            stream.write(version + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(root, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def download(names, folder):
    done = subprocess.run(["apt-get", "-q", "download", *names], cwd=folder, capture_output=True,
                          text=True, timeout=600, check=False)
    if done.returncode != 0:
        reason = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise VmError(f"cannot download {names[0]}: {(reason or ['E: unknown'])[0][3:]}; the "
                      "archive may hold a newer one: run apt-get update", INFRASTRUCTURE)


def point_headers_at(headers, folder):
    """The headers' Makefile includes the common part by its installed path."""
    path = os.path.join(headers, "Makefile")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace("/usr/src/", os.path.join(folder, "usr/src") + "/"))


def call(command, what):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except FileNotFoundError as error:
        raise VmError(f"{what}: {command[0]} is missing; apt-get install kmod dpkg") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]
        raise VmError(f"{what}: {last}", INFRASTRUCTURE)
