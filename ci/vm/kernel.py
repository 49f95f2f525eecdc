# SPDX-License-Identifier: Apache-2.0
"""A kernel that can be booted: its image, its modules, the headers to build modules against."""

import os
import struct

from errors import VmError


class Kernel:
    """`modules_root` has lib/modules/RELEASE, or is None; `headers` is a build folder or None."""

    def __init__(self, release, image, modules_root=None, headers=None):
        self.release, self.image = release, image
        self.modules_root, self.headers = modules_root, headers

    def modules_folder(self):
        return os.path.join(self.modules_root, "lib/modules", self.release)


def release_of_image(path):
    """What `uname -r` will say, from the image's own header (Documentation/arch/x86/boot.rst)."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(0x10000)
    except OSError as error:
        raise VmError(f"kernel {path}: {error.strerror}") from error
    if head[0x202:0x206] != b"HdrS":
        raise VmError(f"kernel {path}: no x86 boot image (bzImage); give the vmlinuz file")
    start = struct.unpack_from("<H", head, 0x20E)[0] + 0x200
    return head[start:].split(b" ", 1)[0].split(b"\0", 1)[0].decode("ascii", "replace")


def supplied(image, modules=None):
    """A user's kernel. `modules`: lib/modules/RELEASE, or the folder that has lib/modules/RELEASE.
    Without it, virtio and 9p must be built in."""
    release = release_of_image(image)
    if modules is None:
        return Kernel(release, os.path.abspath(image))
    folder = os.path.abspath(modules)
    if os.path.isdir(os.path.join(folder, "lib/modules", release)):
        root = folder
    elif folder.endswith("/lib/modules/" + release) and os.path.isdir(folder):
        root = folder[: -len("/lib/modules/" + release)] or "/"
    else:
        raise VmError(f"modules {modules}: no lib/modules/{release} in it, but kernel {image} "
                      f"is {release}; give the modules of this kernel")
    if not os.path.exists(os.path.join(root, "lib/modules", release, "modules.dep")):
        raise VmError(f"modules {modules}: no modules.dep; run depmod -b {root} {release}")
    build = os.path.realpath(os.path.join(root, "lib/modules", release, "build"))
    headers = build if os.path.exists(os.path.join(build, "Makefile")) else None
    return Kernel(release, os.path.abspath(image), root, headers)
