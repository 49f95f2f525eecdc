# SPDX-License-Identifier: Apache-2.0
"""Builds ffs_stub.ko against a kernel's headers, outside of the source folder."""

import os
import re
import shutil
import subprocess

from errors import INFRASTRUCTURE, VmError
from places import TOP, cache, cache_lock

SOURCES = os.path.join(TOP, "kmod-stub")
SHARED_ABI = os.path.join(TOP, "workloads/ffs/ffs_ioctl.h")


def build(kernel, words=(), place="build"):
    """(path of ffs_stub.ko, warnings of compiler and sparse). `words` go to make: W=1, C=2. Only
    what has changed is built, and warned of; the folder `place` of the cache keeps the rest."""
    check_headers(kernel)
    folder = os.path.join(cache(), place, kernel.release)
    if shutil.which("pahole") is None:  # it makes the module's own BTF, which nothing here reads
        words = [*words, "CONFIG_DEBUG_INFO_BTF_MODULES="]
    with cache_lock("build"):
        copy_changed(folder)
        done = subprocess.run(["make", "-C", kernel.headers, f"M={folder}", *words, "modules"],
                              capture_output=True, text=True, timeout=300, check=False)
    output = (done.stdout + done.stderr).splitlines()
    if done.returncode != 0:
        wrong = [line for line in output if "error" in line.lower()] or output[-1:] or ["?"]
        raise VmError(f"building ffs_stub.ko for {kernel.release}: {wrong[0].strip()}",
                      INFRASTRUCTURE)
    return os.path.join(folder, "ffs_stub.ko"), [line for line in output if "warning:" in line]


def all_warnings(kernel, words):
    """Of the whole module, built from nothing."""
    shutil.rmtree(os.path.join(cache(), "build-checked", kernel.release), ignore_errors=True)
    return build(kernel, words, "build-checked")[1]


def check_headers(kernel):
    if kernel.headers is None or not os.path.isdir(kernel.headers):
        raise VmError(f"no headers of {kernel.release}: its modules folder has no `build`; "
                      "install them, or run without --kmod")
    path = os.path.join(kernel.headers, "include/generated/utsrelease.h")
    found = re.search(rb'UTS_RELEASE "([^"]*)"', read(path) if os.path.exists(path) else b"")
    release = found.group(1).decode() if found else "no kernel (no include/generated)"
    if release != kernel.release:
        raise VmError(f"headers {kernel.headers} are of {release}, the kernel is "
                      f"{kernel.release}; the module would not load")


def copy_changed(folder):
    """Only what changed, so that make builds only what changed; what is gone goes."""
    os.makedirs(folder, exist_ok=True)
    names = {name: os.path.join(SOURCES, name) for name in os.listdir(SOURCES)
             if name.endswith((".c", ".h")) or name == "Kbuild"}
    names["ffs_ioctl.h"] = SHARED_ABI
    for name in os.listdir(folder):
        if name.endswith((".c", ".h")) and not name.endswith(".mod.c") and name not in names:
            os.remove(os.path.join(folder, name))
    for name, path in names.items():
        target = os.path.join(folder, name)
        if not os.path.exists(target) or read(target) != read(path):
            shutil.copyfile(path, target)


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def release_of_module(path):
    """The kernel that a .ko was built for, from its vermagic."""
    try:
        found = re.search(rb"\0?vermagic=([^ \0]+)", read(path))
    except OSError as error:
        raise VmError(f"module {path}: {error.strerror}") from error
    if not found:
        raise VmError(f"module {path}: no kernel module (no vermagic in it)")
    return found.group(1).decode("ascii", "replace")


def check_module(path, kernel):
    release = release_of_module(path)
    if release != kernel.release:
        raise VmError(f"module {path} was built for {release}, the guest's kernel is "
                      f"{kernel.release}; build it with --kmod")
