# SPDX-License-Identifier: Apache-2.0
"""Things of the kernel that a stall is made with and that machine.py does not look at: loop
devices, control groups, images on a disk."""

import glob
import os
import time

CGROUPS = "/sys/fs/cgroup"
OWN_NAME = "stallproof"


def kernel_things():
    """One sentence each."""
    return loop_devices() | control_groups() | images()


def loop_devices():
    found = set()
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                found.add(f"loop device {path.split('/')[3]} on {stream.read().strip()}")
        except OSError:
            pass  # gone meanwhile
    return found


def control_groups():
    return {f"control group {folder}/{name}" for folder, names, _ in os.walk(CGROUPS)
            for name in names if OWN_NAME in name}


def images():
    return {f"/var/tmp/{name}" for name in os.listdir("/var/tmp") if OWN_NAME in name}


def things_left(before, grace_s=1.0):
    """What is there now and was not before, for as long as `grace_s`."""
    deadline = time.monotonic() + grace_s
    while True:
        left = sorted(f"{thing} is left" for thing in kernel_things() - before)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)
