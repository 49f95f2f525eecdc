#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dumps that QEMU itself writes of a guest in the reported stall (dump-guest-memory, as `virsh
dump --memory-only` does), in each of its forms: explain --vmcore says of each what it says of the
others, and the guest goes on. One without VMCOREINFO is refused with the reason."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import guest  # noqa: E402
import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import kmod  # noqa: E402
import qemu  # noqa: E402
import qmp  # noqa: E402
import vmcore_dump  # noqa: E402
import vmcore_judge  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from vmcore_explain import explain  # noqa: E402

LIMIT_S = 150
MEMORY_MIB = 512
FORMS = {"ELF": "elf", "kdump, zlib, flattened": "kdump-zlib"}
BARE = "ELF without VMCOREINFO"
# Tells that the stall stands and waits until it has been dumped. `qemu_fw_cfg` gives QEMU the
# kernel's VMCOREINFO, when it has the device for it.
GUEST = vmcore_dump.STALL + r"""
touch /mnt/stalled
until [ -e /mnt/dumped-bare ]; do usleep 100000; done
modprobe qemu_fw_cfg
touch /mnt/told
until [ -e /mnt/dumped ]; do usleep 100000; done
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", default=kernel_package.META, help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the dumps there")
    words = parser.parse_args()
    with Checks("qemu_dumps", LIMIT_S + 60) as checks:
        prove(checks, words)
    return checks.code


def prove(checks, words):
    try:
        qemu.program()
        kernel = kernel_package.current(words.package)
        module = kernel_module.build(kernel)[0]
    except VmError as error:
        if error.code != LACKS_MEANS:
            raise
        checks.skip("everything", str(error))
        return
    share = words.keep or tempfile.mkdtemp(prefix="stallproof-measure-")
    os.makedirs(share, exist_ok=True)
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(share, ignore_errors=True))
    taker = Taker(share)
    ended = guest.run(kernel, GUEST, guest.Options(
        share=share, console=os.path.join(share, "console.log"), seconds=LIMIT_S,
        memory_mib=MEMORY_MIB, programs=[kmod.client(share), "ffs_stub.ko=" + module],
        machine=["-device", "vmcoreinfo", "-qmp", f"unix:{qemu.quoted(taker.socket)},server=on,"
                 "wait=off"]))
    taker.thread.join(10)
    checks.all("QEMU writes its dumps", taker.problems)
    checks.check("the guest went on after them", ended.code == 0, f"exit {ended.code}")
    judge(checks, share)


class Taker:
    """Takes the dumps beside the guest's run, each when the guest is ready for it."""

    def __init__(self, share):
        self.share, self.problems = share, []
        self.folder = tempfile.TemporaryDirectory(prefix="stallproof-qmp-")
        self.socket = os.path.join(self.folder.name, "qmp")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.take("stalled", {BARE: "elf"}, "dumped-bare")
            self.take("told", FORMS, "dumped")
        except (OSError, ValueError, VmError) as error:
            self.problems.append(str(error))
        for name in ("dumped-bare", "dumped"):  # the guest does not wait for what failed
            self.tell(name)
        self.folder.cleanup()

    def tell(self, name):
        with open(os.path.join(self.share, name), "wb"):
            pass

    def take(self, when, forms, then):
        if not qmp.wait_for(os.path.join(self.share, when), LIMIT_S - 30):
            raise VmError(f"the guest did not come to {when}")
        with qmp.Monitor(self.socket, 60) as monitor:
            for name, form in forms.items():
                monitor.ask("dump-guest-memory", paging=False, format=form,
                            protocol="file:" + path_of(self.share, name))
        self.tell(then)


def path_of(share, name):
    return os.path.join(share, "".join(each for each in name if each.isalpha()))


def judge(checks, share):
    told = {}
    for name in FORMS:
        ran = explain(path_of(share, name), "--json")
        if checks.check(f"{name}: explained", ran.code in (0, 3) and ran.out, ran.err[-300:]):
            told[name] = json.loads(ran.out)
            checks.check(f"{name}: as the reported stall", told[name]["class"] == "mmap_lock_cycle",
                         told[name]["class"])
            checks.row(f"{name}: seconds, peak KiB", f"{ran.seconds:.2f}, {ran.peak_kib}", "")
            checks.check(f"{name}: within 64 MiB", ran.peak_kib <= 64 * 1024, str(ran.peak_kib))
    if len(told) == len(FORMS):
        first, second = told.values()
        checks.all("the same roles in both", vmcore_judge.different_roles(first, second))
    ran = explain(path_of(share, BARE))
    checks.check(f"{BARE}: refused in one line", ran.code == 2 and "VMCOREINFO" in ran.err and
                 ran.err.count("\n") == 1, f"exit {ran.code}: {ran.err[-300:]}")


if __name__ == "__main__":
    sys.exit(main())
