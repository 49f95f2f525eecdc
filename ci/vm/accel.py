# SPDX-License-Identifier: Apache-2.0
"""KVM or software emulation. A /dev/kvm that opens proves nothing: some abort on a register, some
hang at boot, and QEMU does not fall back. So a probe boot has to reach its mark; what came of it is
remembered for this host kernel and this QEMU."""

import json
import os
import subprocess
import sys
import tempfile

import initramfs
import qemu
from errors import VmError
from places import cache, cache_lock

PROBE_SECONDS = 20


def choose(kernel, wanted="auto"):
    """'kvm' or 'tcg'."""
    if wanted != "auto":
        return wanted
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    with cache_lock("accel"):
        known = remembered()
        if known is None:
            known = probe(kernel)
            remember(known)
            if known["why"]:
                print(f"KVM does not work here ({known['why']}); emulating", file=sys.stderr)
    return known["accel"]


def host():
    version = subprocess.run([qemu.program(), "--version"], capture_output=True, text=True,
                             timeout=20, check=False).stdout.splitlines()[:1]
    return [os.uname().release, *version]


def path():
    return os.path.join(cache(), "accel.json")


def remembered():
    try:
        with open(path(), encoding="utf-8") as stream:
            known = json.load(stream)
        return known if known["host"] == host() else None
    except (OSError, ValueError, KeyError):
        return None


def remember(known):
    with open(path() + ".part", "w", encoding="utf-8") as stream:
        json.dump(known, stream)
    os.replace(path() + ".part", path())


def probe(kernel):
    """Boots with KVM as far as the first process."""
    with tempfile.TemporaryDirectory(prefix="stallproof-vm-") as work:
        image, console = os.path.join(work, "initramfs"), os.path.join(work, "console")
        initramfs.build(image, kernel)
        line = qemu.command(kernel, image, console, ["sp.mark=PROBE", "sp.probe"], "kvm", 512)
        try:
            with qemu.Machine(line, console, "PROBE", stdout=subprocess.DEVNULL) as machine:
                machine.wait(PROBE_SECONDS, PROBE_SECONDS)
        except VmError as error:
            return {"host": host(), "accel": "tcg", "why": str(error).split("; console", 1)[0]}
    return {"host": host(), "accel": "kvm", "why": ""}
