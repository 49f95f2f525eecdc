#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab node's bad day in one command: the reported stall inside a guest's kernel is detected and
explained, asked for by sysrq, panicked into kdump, and its vmcore is explained here. What four
lenses say of the one incident is compared: live, kernel log, text as crash prints it, vmcore. The
stall is the module's, or with --scenario mmap-lock-fault the one over FUSE."""

import argparse
import json
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import capture_policy  # noqa: E402
import guest  # noqa: E402
import initramfs  # noqa: E402
import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import qemu  # noqa: E402
import vmcore_judge  # noqa: E402
import vmcore_explain  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from kmod_evidence import read  # noqa: E402

GOAL_S = 90
# What each needs loaded.
SCENARIOS = {"kmod-mmap-lock": "insmod /bin/ffs_stub.ko i_accept_hangs=1",
             "mmap-lock-fault": "modprobe fuse"}
# Texts do not hold FUSE's requests: which threads serve them stays unknown there, and the log,
# which has no queue of the lock either, tells the circle as a lock that is held.
OVER_FUSE = {"log": "mmap_lock_held"}
GUEST = """
{prepare} || exit 1
stallproof repro {scenario} --deadline 40s --on-stall panic --allow-crash -o /mnt/run \
  >/mnt/out 2>/mnt/err
"""
ROLES = ("holder", "queued_writer", "queued_reader", "service")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, default="kmod-mmap-lock")
    parser.add_argument("--package", default=kernel_package.META, help="as of ci/vm/run")
    parser.add_argument("--keep", metavar="DIR", help="leave the evidence there")
    words = parser.parse_args()
    with Checks("end_to_end", 400) as checks:
        prove(checks, words)
    return checks.code


def prove(checks, words):
    try:
        qemu.program()
        initramfs.find("kexec", "kexec-tools")
        initramfs.find("makedumpfile", "makedumpfile")
        kernel = kernel_package.current(words.package)
    except VmError as error:
        if error.code == LACKS_MEANS:
            checks.skip("everything", str(error))
            return
        raise
    module = kernel_module.build(kernel)[0]
    share = words.keep or tempfile.mkdtemp(prefix="stallproof-measure-")
    os.makedirs(share, exist_ok=True)
    if not words.keep:
        checks.at_end(lambda: shutil.rmtree(share, ignore_errors=True))
    script = GUEST.format(scenario=words.scenario, prepare=SCENARIOS[words.scenario])
    ended = guest.run(kernel, script, guest.Options(
        share=share, console=os.path.join(share, "console.log"), seconds=280, memory_mib=1536,
        programs=[capture_policy.stripped(share), "ffs_stub.ko=" + module],
        words=["log_buf_len=4M"], kdump="-l -d 31"))
    judge(checks, share, ended, words.scenario == "mmap-lock-fault")


def judge(checks, share, ended, over_fuse):
    dump = os.path.join(share, "vmcore")
    if not checks.check("stalled, panicked, and the vmcore is here",
                        ended.code is None and ended.dumped == 0 and os.path.exists(dump),
                        f"exit {ended.code}, {read(share, 'err')[-300:]}, {ended.tail[-300:]}"):
        return
    image = vmcore_explain.explain(dump, "--json")
    whole = ended.seconds + image.seconds
    checks.check(f"from power-on to the vmcore's explanation within {GOAL_S} s", whole <= GOAL_S,
                 f"{whole:.0f} s")
    checks.row("from power-on to the vmcore's explanation", f"{whole:.1f} s", f"{GOAL_S} s")
    if not checks.check("the vmcore is explained", image.code == 0, image.err[-300:]):
        return
    told = json.loads(image.out)
    checks.check("as the reported stall", told["class"] == "mmap_lock_cycle", told["class"])
    for name, other in lenses(share, dump).items():
        wanted, roles = told["class"], ROLES
        if over_fuse and name != "live":
            wanted, roles = OVER_FUSE.get(name, wanted), ROLES[:-1]
        compare(checks, name, other, told, wanted, roles)


def lenses(share, dump):
    """{name: explanation or None}, beside the vmcore's own."""
    folder = os.path.join(share, "run", "incidents", "001")
    text = os.path.join(share, "crash.txt")
    with open(text, "w", encoding="utf-8") as stream:
        stream.write(vmcore_explain.explain(dump, "--bt").out)
        stream.write(vmcore_explain.explain(dump, "--waiters").out)
    return {"live": parsed(read(folder, "explanation.json")),
            "log": parsed(vmcore_explain.run("--kmsg", os.path.join(folder, "sysrq.txt"),
                                             "--json").out),
            "text": parsed(vmcore_explain.explain_text(text).out)}


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def compare(checks, name, other, told, wanted, roles):
    if not checks.check(f"lens {name}: an explanation", other is not None, "none"):
        return
    checks.check(f"lens {name}: its class is {wanted}", other["class"] == wanted, other["class"])
    theirs, ours = vmcore_judge.roles_of(other), vmcore_judge.roles_of(told)
    checks.all(f"lens {name}: the roles of the vmcore",
               [f"{role}: {theirs.get(role)} for {ours.get(role)}" for role in roles
                if theirs.get(role) != ours.get(role)])
    if name == "live":
        checks.check("lens live: the signature of the vmcore",
                     other["signature"] == told["signature"],
                     f"{other['signature']} for {told['signature']}")


if __name__ == "__main__":
    sys.exit(main())
