# SPDX-License-Identifier: Apache-2.0
"""What packages do when they come and go: the units that somebody enabled, the rpm, and the module
of an upgraded stallproof-dkms, with a stand-in for dkms that only notes which versions there
are."""

import os
import shutil
import subprocess

from program import TOP

UNITS = sorted(os.listdir(os.path.join(TOP, "ci/nightly/systemd")))
DKMS = """#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in add|install|remove) step=$1 ;; -v) version=$2 ;; esac
  shift
done
case $step in
  install) [ -d "/usr/src/ffs_stub-$version" ] && : >"/tmp/module-$version" ;;
  remove) [ -d "/usr/src/ffs_stub-$version" ] && rm -f "/tmp/module-$version" ;;
esac
"""


def versions(checks, package):
    """The package's version; one between releases is below the next or above the last one."""
    told = subprocess.run(["dpkg-deb", "-f", package, "Version"], capture_output=True, text=True,
                          timeout=20, check=True).stdout.strip()
    release = told.partition("~")[0].partition("+")[0]
    relation = "lt" if "~" in told else "gt" if "+" in told else "eq"
    fits = subprocess.run(["dpkg", "--compare-versions", told, relation, release], timeout=20,
                          check=False).returncode == 0
    checks.check(f"{told} is {relation} {release}", fits)
    return told


def enable_units(checks, debian):
    """As somebody would have: links and a timer's stamp that no package knows."""
    done = subprocess.run(["systemctl", "--root", debian.path, "enable", "stallproof-nightly.timer",
                           "stallproof-postmortem.service"], capture_output=True, text=True,
                          timeout=20, check=False)
    checks.check("its units can be enabled", done.returncode == 0, done.stderr[-300:])
    stamp = "var/lib/systemd/timers/stamp-stallproof-nightly.timer"
    with open(os.path.join(debian.path, stamp), "w", encoding="utf-8"):
        pass


def well(code, errors):
    """Whether rpm and the package's scripts ended well: of theirs its exit code says nothing."""
    return code == 0 and "scriptlet failed" not in errors


def erase_rpm(checks, debian, package):
    """The rpm, in a Debian that has what it needs, and is gone again."""
    if shutil.which("rpm") is None:
        checks.skip("the rpm installs", "rpm is missing; apt-get install rpm")
        return
    before = debian.files()
    code, _, errors = debian.rpm("--initdb")
    checks.check("rpm has a data base there", code == 0, errors[-300:])
    code, _, errors = debian.rpm("--nodeps", "-i", package)
    checks.check("the rpm installs", well(code, errors), errors[-300:])
    code, out, errors = debian.run("stallproof --version")
    checks.check("its program runs", code == 0 and out.startswith("stallproof "), errors[-300:])
    enable_units(checks, debian)
    code, _, errors = debian.rpm("--nodeps", "-e", "stallproof")
    checks.check("the rpm is erased", well(code, errors), errors[-300:])
    checks.all("erased, it leaves nothing", sorted(debian.files() - before))
    scripts = subprocess.run(["rpm", "-qp", "--scripts", package], capture_output=True, text=True,
                             timeout=20, check=True).stdout
    checks.all("before it is gone, its units are stopped", [
        unit for unit in UNITS if unit not in scripts.partition("preuninstall")[2]])


def older(debian, package):
    """The same package as an older version, for an upgrade."""
    version, = subprocess.run(["dpkg-deb", "-f", package, "Version"], capture_output=True,
                              text=True, timeout=20, check=True).stdout.split()
    old = "0.0.9~1.gold"
    tree = os.path.join(debian.path, "tmp", "older")
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True, timeout=20)
    os.rename(f"{tree}/usr/src/ffs_stub-{version}", f"{tree}/usr/src/ffs_stub-{old}")
    for name in ("control", "postinst", "prerm"):
        path = os.path.join(tree, "DEBIAN", name)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.replace(version, old))
    os.remove(os.path.join(tree, "DEBIAN/md5sums"))
    subprocess.run(["dpkg-deb", "-b", tree, tree + ".deb"], check=True, timeout=20,
                   stdout=subprocess.DEVNULL)
    return version, old


def modules(debian):
    return sorted(name.partition("-")[2] for name in os.listdir(os.path.join(debian.path, "tmp"))
                  if name.startswith("module-"))


def module_survives(checks, debian, deb, rpm):
    """There is the module of the package that is installed, and no other."""
    os.makedirs(os.path.join(debian.path, "lib/modules/6.1.0-made/build"))
    stand_in = os.path.join(debian.path, "usr/sbin/dkms")
    with open(stand_in, "w", encoding="utf-8") as stream:
        stream.write(DKMS)
    os.chmod(stand_in, 0o755)
    version, old = older(debian, deb)
    shutil.copy(deb, os.path.join(debian.path, "tmp", "newer.deb"))
    install = "dpkg --force-depends -i /tmp/"
    steps = [("the older deb", install + "older.deb", [old]),
             ("the deb in its place", install + "newer.deb", [version]),
             ("the same deb again", install + "newer.deb", [version]),
             ("the deb removed", "dpkg --force-depends -r stallproof-dkms", [])]
    for name, command, wanted in steps:
        code, _, errors = debian.run(command)
        checks.check(f"{name}: its module is there, no other", code == 0
                     and modules(debian) == wanted, f"exit {code}, {modules(debian)} {errors}")
    if shutil.which("rpm") is None:
        checks.skip("the module of an rpm", "rpm is missing; apt-get install rpm")
        return
    for name, words, wanted in (
            ("the module's rpm", ["-i", rpm], [version]),
            ("the same rpm as an upgrade", ["-U", "--force", rpm], [version]),
            ("the module's rpm erased", ["-e", "stallproof-dkms"], [])):
        code, _, errors = debian.rpm("--nodeps", *words)
        checks.check(f"{name}: its module is there, no other", code == 0
                     and modules(debian) == wanted, f"exit {code}, {modules(debian)} {errors}")
