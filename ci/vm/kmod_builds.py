#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel module as others build it, without a guest: from nothing, with all warnings and
sparse, for each kernel named; and by DKMS, added, built, installed, listed and removed in folders
of its own.

kmod_builds.py [--package linux-image-amd64] [--package linux-image-6.12-amd64] …"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
from checks import Checks  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402
from places import TOP  # noqa: E402

VERSION = "1.0"
NAME = f"ffs_stub/{VERSION}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", action="append", help="as of ci/vm/run; several may be given")
    words = parser.parse_args()
    packages = words.package or [kernel_package.META]
    with Checks("kmod_builds", 200 * len(packages)) as checks:
        for package in packages:
            prove(checks, package)
    return checks.code


def prove(checks, package):
    try:
        kernel = kernel_package.current(package)
    except VmError as error:
        if error.code != LACKS_MEANS:
            raise
        checks.skip(package, str(error))
        return
    checked = shutil.which("sparse") is not None
    if not checked:
        checks.skip(f"sparse on {kernel.release}", "sparse is missing; apt-get install sparse")
    warnings = kernel_module.all_warnings(kernel, ["W=1", *(["C=2"] if checked else [])])
    checks.all(f"{kernel.release}: builds without a warning of gcc (W=1)"
               f"{' and sparse' if checked else ''}", warnings)
    if shutil.which("dkms") is None:
        checks.skip(f"DKMS on {kernel.release}", "dkms is missing; apt-get install dkms")
        return
    with tempfile.TemporaryDirectory(prefix="stallproof-dkms-") as folder:
        by_dkms(checks, kernel, folder)


def apart():
    """dkms makes a key to sign by in /var/lib/dkms, where it has none: not in the machine's."""
    if os.geteuid() != 0 or not os.path.isdir("/var/lib/dkms"):
        return []
    return ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /var/lib/dkms && exec "$@"', "sh"]


def by_dkms(checks, kernel, folder):
    """dkms's own trees are in `folder`: nothing of the machine's is touched."""
    source, tree, installed = (os.path.join(folder, name) for name in ("src", "dkms", "modules"))
    for name in (source, tree, os.path.join(installed, kernel.release)):
        os.makedirs(name)
    made = subprocess.run(
        ["make", "-C", os.path.join(TOP, "kmod-stub"), "dkms",
         f"DKMS_TREE={os.path.join(source, NAME.replace('/', '-'))}"],
        capture_output=True, text=True, timeout=30, check=False)
    checks.check("make dkms makes a tree", made.returncode == 0, made.stderr[-300:])
    trees = ["--dkmstree", tree, "--sourcetree", source, "--installtree", installed]
    of_kernel = ["-k", kernel.release, "--kernelsourcedir", kernel.headers]

    def dkms(*words):
        done = subprocess.run([*apart(), "dkms", *words, *trees], capture_output=True, text=True,
                              timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    for step in (["add", NAME], ["build", NAME, *of_kernel],
                 ["install", NAME, *of_kernel, "--no-depmod"]):
        code, said = dkms(*step)
        if not checks.check(f"{kernel.release}: dkms {step[0]}", code == 0, said[-400:]):
            return
    module = find(installed, "ffs_stub.ko")
    checks.check(f"{kernel.release}: the installed module is this kernel's", module is not None and
                 kernel_module.release_of_module(module) == kernel.release, str(module))
    code, said = dkms("status", NAME)
    checks.check(f"{kernel.release}: dkms status", code == 0 and "installed" in said, said[-300:])
    code, said = dkms("remove", NAME, "--all", "--no-depmod")
    checks.check(f"{kernel.release}: dkms remove leaves no module", code == 0 and
                 find(installed, "ffs_stub.ko") is None, said[-300:])


def find(folder, name):
    """A file of that name, also compressed, below it; None."""
    for path, _, names in os.walk(folder):
        for each in names:
            if each.startswith(name):
                return os.path.join(path, each)
    return None


if __name__ == "__main__":
    sys.exit(main())
