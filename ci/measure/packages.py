#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages, as somebody installs them: in a fresh Debian 12 of their own, install, make and
explain the reported stall, purge: it works there, and nothing is left. The kernel, /dev, /proc and
/sys are this machine's. So for the rpm, what upgrades leave, and `cmake --install`. --dkms: the
module's package is built, too, beside the headers of Debian's kernel."""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from packages_debian import Debian  # noqa: E402
from packages_prefix import install_by_cmake  # noqa: E402
from packages_upgrade import enable_units, erase_rpm, module_survives, versions  # noqa: E402
from program import TOP  # noqa: E402

WANTED = ("./usr/bin/stallproof", "./usr/share/man/man1/stallproof.1",
          "./usr/share/man/man1/stallproof-repro.1",
          "./usr/share/bash-completion/completions/stallproof",
          "./usr/share/doc/stallproof/README.md", "./usr/share/doc/stallproof/copyright",
          "./usr/share/stallproof/fs/fuse.toml",
          "./usr/share/stallproof/slurm/submit",
          "./usr/share/stallproof/dashboards/fleet.json",
          "./usr/share/stallproof/dashboards/README.md",
          "./usr/share/stallproof/dashboards/rules/alerts.yml",
          "./usr/share/doc/stallproof/LICENSES/GPL-2.0-only.txt",
          "./usr/lib/systemd/system/stallproof-nightly.timer",
          "./usr/share/doc/stallproof/nightly/stallproof-nightly")
MODULE = ("./usr/src/ffs_stub-VERSION/dkms.conf", "./usr/src/ffs_stub-VERSION/ffs_ioctl.h",
          "./usr/src/ffs_stub-VERSION/ffs_main.c",
          "./usr/share/doc/stallproof-dkms/copyright",
          "./usr/share/doc/stallproof-dkms/GPL-2.0-only.txt")


def built(preset):
    """{name: path} of the packages, built now."""
    done = subprocess.run([os.path.join(TOP, "ci/package/packages"), preset], capture_output=True,
                          text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ci/package/packages: {done.stderr.strip()[-300:]}")
    folder = os.path.join(TOP, "build", preset, "packages")
    return {os.path.basename(path): path for path in sorted(glob.glob(folder + "/*"))}


def listed(package):
    tool = ["dpkg-deb", "-c", package] if package.endswith(".deb") else ["rpm", "-qlp", package]
    shown = subprocess.run(tool, capture_output=True, text=True, timeout=60, check=True).stdout
    return {line.split()[-1] for line in shown.splitlines()}


def check_contents(checks, packages, version):
    for name, path in packages.items():
        wanted = [file.replace("VERSION", version)
                  for file in (MODULE if "dkms" in name else WANTED)]
        held = listed(path)
        held |= {"." + entry for entry in held}
        checks.all(f"{name} holds what it should", [
            file for file in wanted if not {file, file + ".gz"} & held])
        checks.all(f"{name} holds nothing outside of /usr", [
            entry for entry in held if not entry.lstrip(".").startswith("/usr")
            and entry.strip("./") != ""])


def installed(checks, package, others=""):
    """(a Debian with the package in it, what was there before it, what apt said)"""
    name = os.path.basename(package).partition("_")[0]
    debian = Debian()
    checks.at_end(debian.remove)
    debian.make()
    shutil.copy(package, os.path.join(debian.path, "tmp", "package.deb"))
    install = "apt-get install -y --no-install-recommends "
    code, _, errors = debian.run(
        f"apt-get update -q && {install}{others} $(dpkg-deb -f /tmp/package.deb Depends | "
        "sed 's/([^)]*)//g; s/,/ /g')", seconds=600)
    checks.check(f"{name}: what it depends on is in Debian 12", code == 0, errors[-300:])
    before = debian.files()
    code, out, errors = debian.run(install + "/tmp/package.deb")
    checks.check(f"{name}: it installs", code == 0, errors[-300:])
    return debian, before, out


def install_and_purge(checks, package):
    debian, before, _ = installed(checks, package)
    code, out, errors = debian.run("stallproof repro mmap-lock-fault --json")
    try:
        verdict = json.loads(out)
    except ValueError:
        verdict = {}
    told = [stall.get("class") for stall in verdict.get("stalls", [])]
    checks.check("the reported stall is made, explained and healed there",
                 code == 0 and told == ["mmap_lock_cycle"] and not verdict.get("left_behind"),
                 f"exit {code}, {told}: {errors[-300:]}")
    checks.check("its man page is there", debian.run(
        "test -s /usr/share/man/man1/stallproof.1*")[0] == 0)
    enable_units(checks, debian)
    code, _, errors = debian.run("apt-get purge -y stallproof")
    checks.check("it purges", code == 0, errors[-300:])
    left = sorted(debian.files() - before)
    checks.all("purged, it leaves nothing", left)
    return debian


def install_module(checks, package):
    debian, before, out = installed(checks, package, "linux-headers-amd64")
    code, status, _ = debian.run("dkms status ffs_stub")
    checks.check("its module is built and installed for the kernel whose headers are there",
                 code == 0 and "installed" in status, f"{status} {out[-300:]}")
    made = [name for name in debian.files() - before if "/ffs_stub.ko" in name]
    checks.check("and lies where modprobe finds it",
                 any(name.startswith(("lib/modules/", "usr/lib/modules/")) for name in made),
                 str(made))
    code, _, errors = debian.run("apt-get purge -y stallproof-dkms")
    checks.check("the module's package purges", code == 0, errors[-300:])
    # depmod's index of a kernel that had no module before.
    left = [name for name in debian.files() - before
            if not os.path.basename(name).startswith("modules.")]
    checks.all("purged, the module leaves nothing", sorted(left))


def one_of(packages, kind, dkms):
    return next(path for name, path in packages.items()
                if name.endswith(kind) and ("dkms" in name) == dkms)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="package", help="what is packed")
    parser.add_argument("--dkms", action="store_true", help="the module's package is built, too")
    options = parser.parse_args()
    with Checks("packages", 1200) as checks:
        stop_if_lacking(checks)
        packages = built(options.preset)
        for kind in (".deb", ".rpm"):
            found = [name for name in packages if name.endswith(kind)]
            checks.check(f"two {kind} packages", len(found) == 2, str(found))
        main_deb, module_deb = (one_of(packages, ".deb", dkms) for dkms in (False, True))
        check_contents(checks, packages, versions(checks, main_deb))
        install_by_cmake(checks, options.preset)
        debian = install_and_purge(checks, main_deb)
        erase_rpm(checks, debian, one_of(packages, ".rpm", False))
        module_survives(checks, debian, module_deb, one_of(packages, ".rpm", True))
        debian.remove()
        if options.dkms:
            install_module(checks, module_deb)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
