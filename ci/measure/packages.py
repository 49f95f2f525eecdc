#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages, as somebody installs them: in a fresh Debian 12 of their own, install, make and
explain the reported stall, purge: it works there, and nothing is left. The kernel, /dev, /proc and
/sys are this machine's. --dkms: the module's package too, beside the headers of Debian's kernel."""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from program import TOP  # noqa: E402

WANTED = ("./usr/bin/stallproof", "./usr/share/man/man1/stallproof.1",
          "./usr/share/man/man1/stallproof-repro.1",
          "./usr/share/bash-completion/completions/stallproof",
          "./usr/share/doc/stallproof/README.md", "./usr/share/doc/stallproof/copyright",
          "./usr/share/stallproof/fs/fuse.toml",
          "./usr/lib/systemd/system/stallproof-nightly.timer",
          "./usr/share/doc/stallproof/nightly/stallproof-nightly")
MODULE = ("./usr/src/ffs_stub-1.0/dkms.conf", "./usr/src/ffs_stub-1.0/ffs_ioctl.h",
          "./usr/src/ffs_stub-1.0/ffs_main.c")
# What apt itself keeps of any package that was there once.
APT = ("var/lib/apt/", "var/lib/dpkg/", "var/cache/", "var/log/", "etc/ld.so.cache", "tmp/")


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


def check_contents(checks, packages):
    for name, path in packages.items():
        wanted = MODULE if "dkms" in name else WANTED
        held = listed(path)
        held |= {"." + entry for entry in held}
        checks.all(f"{name} holds what it should", [
            file for file in wanted if not {file, file + ".gz"} & held])
        checks.all(f"{name} holds nothing outside of /usr", [
            entry for entry in held if not entry.lstrip(".").startswith("/usr")
            and entry.strip("./") != ""])


class Debian:
    """A Debian 12 in a folder, run in a mount namespace of its own: its mounts end with it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="stallproof-debian-")
        os.chmod(self.path, 0o755)

    def make(self):
        sources = [path for path in ["/etc/apt/sources.list",
                                     *glob.glob("/etc/apt/sources.list.d/*.list"),
                                     *glob.glob("/etc/apt/sources.list.d/*.sources")]
                   if os.path.exists(path)]
        done = subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", "--mode=root",
                               "--aptopt=Acquire::Check-Valid-Until \"false\"",
                               "bookworm", self.path, *sources], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mmdebstrap: {done.stderr.strip()[-300:]}")

    def run(self, command, seconds=300):
        """A shell's command in it; (exit code, stdout, stderr)."""
        inside = ("for d in proc sys dev; do mount --rbind /$d $0/$d; done; "
                  "cp -L /etc/resolv.conf $0/etc/resolv.conf 2>/dev/null; "
                  'exec chroot $0 /bin/sh -c "$1"')
        done = subprocess.run(["unshare", "-m", "--propagation", "slave", "sh", "-c", inside,
                               self.path, command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        return done.returncode, done.stdout, done.stderr

    def files(self):
        found = set()
        for folder, names, files in os.walk(self.path):
            here = os.path.relpath(folder, self.path)
            found |= {os.path.normpath(os.path.join(here, name)) for name in [*names, *files]}
        return {name for name in found if not name.startswith(APT)}

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


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
    code, _, errors = debian.run("apt-get purge -y stallproof")
    checks.check("it purges", code == 0, errors[-300:])
    left = sorted(debian.files() - before)
    checks.all("purged, it leaves nothing", left)


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
        check_contents(checks, packages)
        main_deb = next(path for name, path in packages.items()
                        if name.endswith(".deb") and "dkms" not in name)
        install_and_purge(checks, main_deb)
        if options.dkms:
            install_module(checks, next(path for name, path in packages.items()
                                        if name.endswith(".deb") and "dkms" in name))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
