# SPDX-License-Identifier: Apache-2.0
"""The guest's whole system: busybox, the programs asked for with their libraries, the modules that
reach the shared folders, and guest_init as first process."""

import lzma
import os
import re
import subprocess

import means
from cpio import Archive
from errors import LACKS_MEANS, VmError
from places import HERE

# What reaches the shares; the rest comes by modprobe from the share of the modules.
SHARE_MODULES = ("virtio_pci", "9pnet_virtio", "9p")
KDUMP_PROGRAMS = ("kexec", "makedumpfile")
FOLDERS = ("proc", "sys", "dev", "tmp", "run", "mnt", "etc", "sbin", "control", "lib/modules")


def build(target, kernel, programs=(), kdump=False):
    """Writes the initramfs. `programs`: paths, or NAME=PATH for another name in the guest."""
    archive = Archive()
    for folder in FOLDERS:
        archive.folder(folder)
    archive.console()
    archive.file("bin/busybox", read(find("busybox", "busybox-static")))
    archive.file("init", read(os.path.join(HERE, "guest_init")))
    for word in programs:
        name, _, path = word.rpartition("=")
        add_program(archive, name or os.path.basename(path), path)
    for name in KDUMP_PROGRAMS if kdump else ():
        add_program(archive, name, find(name, "kexec-tools makedumpfile"))
    add_modules(archive, kernel)
    archive.write(target)


def find(name, package):
    path = means.find(name)
    if path is None:
        raise VmError(f"{name} is missing; apt-get install {package}", LACKS_MEANS)
    return path


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise VmError(f"{path}: {error.strerror}") from error


def add_program(archive, name, path):
    archive.file("bin/" + name, read(path))
    for library in libraries(path):
        inside = library.lstrip("/")
        if not archive.has(inside):
            archive.file(inside, read(library))


def libraries(path):
    """Of a dynamic program; a static one and a script have none."""
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, timeout=30, check=False)
    lost = re.search(r"^\s*(\S+) => not found", listed.stdout, re.M)
    if lost:
        raise VmError(f"{path} needs {lost.group(1)}, which is not on this machine")
    return re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed.stdout, re.M)


def add_modules(archive, kernel):
    names = []
    for path in module_files(kernel, SHARE_MODULES):
        content, name = read(path), os.path.basename(path)
        if name.endswith(".xz"):
            content, name = lzma.decompress(content), name[: -len(".xz")]
        archive.file("modules/" + name, content, 0o644)
        names.append(name)
    archive.file("modules/list", "".join(name + "\n" for name in names).encode(), 0o644)


def module_files(kernel, names):
    """In the order of insmod; what is built in has no file."""
    if kernel.modules_root is None:
        return []
    command = ["modprobe", "-d", kernel.modules_root, "-S", kernel.release, "--show-depends", "-a",
               *names]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError as error:
        raise VmError("modprobe is missing; apt-get install kmod", LACKS_MEANS) from error
    if shown.returncode != 0:
        raise VmError(f"modules of {kernel.release}: {shown.stderr.strip().splitlines()[-1]}")
    return list(dict.fromkeys(re.findall(r"^insmod (\S+)", shown.stdout, re.M)))
