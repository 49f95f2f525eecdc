# SPDX-License-Identifier: Apache-2.0
"""Programs of this machine that a guest is made with; what is missing is told all at once."""

import os
import shutil

from errors import LACKS_MEANS, VmError

# By program, the package.
ALWAYS = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static"}


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def check():
    missing = [name for name in ALWAYS if find(name) is None]
    if missing:
        raise VmError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; "
                      f"apt-get install {' '.join(ALWAYS[name] for name in missing)}", LACKS_MEANS)
