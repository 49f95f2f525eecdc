# SPDX-License-Identifier: Apache-2.0
"""A Debian 12 of its own, to install packages in."""

import glob
import os
import shutil
import subprocess
import tempfile

# What apt and rpm themselves keep of any package that was there once.
KEPT = ("var/lib/apt/", "var/lib/dpkg/", "var/lib/rpm", "var/cache/", "var/log/", "etc/ld.so.cache",
        "tmp/")
SYSTEMD = ("etc/systemd/system", "var/lib/systemd/timers")


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
        for folder in SYSTEMD:  # as where systemd is
            os.makedirs(os.path.join(self.path, folder), exist_ok=True)

    def run(self, command, seconds=300):
        """A shell's command in it; (exit code, stdout, stderr)."""
        return self._mounted(["chroot", self.path, "/bin/sh", "-c", command], seconds)

    def rpm(self, *words):
        """This machine's rpm on it, with a data base of its own in it."""
        return self._mounted(["rpm", "--root", self.path, "--dbpath", "/var/lib/rpm", *words], 60)

    def _mounted(self, command, seconds):
        inside = ("for d in proc sys dev; do mount --rbind /$d $0/$d; done; "
                  "cp -L /etc/resolv.conf $0/etc/resolv.conf 2>/dev/null; "
                  'exec "$@"')
        done = subprocess.run(["unshare", "-m", "--propagation", "slave", "sh", "-c", inside,
                               self.path, *command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        return done.returncode, done.stdout, done.stderr

    def files(self):
        found = set()
        for folder, names, files in os.walk(self.path):
            here = os.path.relpath(folder, self.path)
            found |= {os.path.normpath(os.path.join(here, name)) for name in [*names, *files]}
        return {name for name in found if not name.startswith(KEPT)}

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
