# SPDX-License-Identifier: Apache-2.0
"""Where things are: the tree, and the cache, which is outside of the tree."""

import contextlib
import fcntl
import os

from errors import VmError

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def cache():
    """The cache folder, made when missing. STALLPROOF_VM_CACHE or below the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.environ.get("STALLPROOF_VM_CACHE") or os.path.join(home, "stallproof", "vm")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise VmError(f"cannot make the cache {path}: {error.strerror}; set "
                      "STALLPROOF_VM_CACHE to a folder that can be written") from error
    return os.path.abspath(path)


@contextlib.contextmanager
def cache_lock(name):
    """One process at a time; ends with the process, however it ends."""
    with open(os.path.join(cache(), name + ".lock"), "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
