# SPDX-License-Identifier: Apache-2.0
"""The static file where nothing is as it is here: in a directory with nothing else in it as its
root, and under a filter that knows no system call newer than Linux 3.10's and refuses BPF. Each
command of the table in each environment. And the tarball beside it, unpacked somewhere.
STATIC=FILE names another file than ci/package/static makes."""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

import foreign
import old_kernel
import program
from checks import Checks
from machine import clean_machine, look
from program import TOP, Workspace, run

LIMIT_BYTES = 12_000_000
# What is in the tarball, of each part that is installed.
PARTS = ("bin/stallproof", "share/man/man1/stallproof.1",
         "lib/systemd/system/stallproof-nightly.timer",
         "share/bash-completion/completions/stallproof", "share/stallproof/fs/ffs.toml",
         "share/stallproof/dashboards/soak.json", "share/stallproof/dashboards/rules/alerts.yml",
         "share/stallproof/slurm/submit", "share/doc/stallproof/README.md",
         "share/doc/stallproof/LICENSE", "share/doc/stallproof/LICENSES/GPL-2.0-only.txt",
         "share/doc/stallproof/copyright", "share/doc/stallproof/linked/libc6-dev",
         "share/doc/stallproof/examples/plans/small.toml")
SEED = sorted(glob.glob(os.path.join(TOP, "examples/seed-crash/*.txt")))


def static_file():
    found = sorted(glob.glob(os.path.join(TOP, "build/package/stallproof-*-linux-x86_64")))
    return os.environ.get("STATIC") or max(found, key=os.path.getmtime, default="")


class Root:
    """A directory with the static file and the kernel's own file systems, and nothing else.
    close() takes every mount away again."""

    def __init__(self, binary, kernel=True):
        self.path = tempfile.mkdtemp(prefix="stallproof-root-", dir="/run")
        shutil.copy(binary, os.path.join(self.path, "stallproof"))
        self.mounts = []
        for name in ("proc", "sys", "dev") if kernel else ():
            point = os.path.join(self.path, name)
            os.mkdir(point)
            subprocess.run(["mount", "--rbind", "--make-rslave", "/" + name, point], check=True,
                           timeout=10)
            self.mounts.append(point)

    def close(self):
        for point in reversed(self.mounts):
            subprocess.run(["umount", "-R", "-l", point], timeout=10, check=False,
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(self.path, ignore_errors=True)


class Environment:
    """How a command is started, and where its results are seen from outside."""

    def __init__(self, name, binary, root=None, old=False):
        self.name, self.binary, self.root, self.old = name, binary, root, old

    def run(self, words, workspace, seconds=40, out=None, after=()):
        number = workspace.new("old")
        place = "/out" + os.path.basename(number) if self.root else number + ".d"
        seen = (self.root.path if self.root else "") + place
        prefix = (["chroot", self.root.path] if self.root else [])
        binary = "/stallproof" if self.root else self.binary
        words = [*words, "-o", place] if out else words
        ended = run([*words, *after], workspace, seconds=seconds, prefix=prefix, binary=binary,
                    no_out=True, preexec_fn=old_kernel.become_old if self.old else None)
        ended.run_dir = seen
        return ended

    def file(self, path):
        """A file of ours as the command will see it."""
        if not self.root:
            return path
        shutil.copy(path, self.root.path)
        return "/" + os.path.basename(path)


def one_line(ended, code, text):
    return ended.code == code and text in ended.err and ended.err.count("\n") <= 2


def repro(checks, where, workspace, variant, blind):
    before = look()
    ended = where.run(["repro", "mmap-lock-fault", "--variant", variant], workspace, out=True)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    stall = (doc.get("stalls") or [{}])[0]
    explanation = ended.incident("001").get("explanation.json") or {}
    certainties = {edge["certainty"] for edge in explanation.get("edges", [])}
    good = ended.code == 0 and stall.get("class") == "mmap_lock_cycle" and (
        not blind or certainties == {"inferred"})
    checks.check(f"{where.name}: repro {variant} is right{', inferred' if blind else ''}", good,
                 f"{ended.describe()} {stall.get('class')} {certainties}")
    checks.all(f"{where.name}: repro {variant}: machine as before", clean_machine(before, ended))
    shown = where.run(["show", ended.run_dir.replace(where.root.path, "") if where.root
                       else ended.run_dir], workspace)
    checks.check(f"{where.name}: show tells it", shown.code == 0 and "STALL 001" in shown.out
                 and "mmap_lock_cycle" in shown.out, shown.describe())


def standing_deadlock(checks, where, workspace, blind):
    """capture, explain --live and watch while fio stands in the deadlock, outside of the root."""
    before = look()
    with foreign.FfsTarget() as target:
        fio = subprocess.Popen(foreign.fio_command(target.mount, 60), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        try:
            time.sleep(1.5)
            watch = Watching(where, workspace, fio.pid)
            time.sleep(2.5)
            target.arm("invalidate")
            ended = watch.ended()
            check_watch(checks, where, ended)
            for words in (["capture"], ["capture", "--pid", str(fio.pid)]):
                check_capture(checks, where, where.run(words, workspace, out=True), words, blind)
            live = where.run(["explain", "--live", "--json"], workspace)
            checks.check(f"{where.name}: explain --live", live.code == (3 if blind else 0)
                         and (live.doc or {}).get("class") == "mmap_lock_cycle", live.describe())
        finally:
            target.heal()
            fio.kill()
            fio.wait(10)
    checks.all(f"{where.name}: watch and capture: machine as before", clean_machine(before))


class Watching:
    """A watch that runs beside us."""

    def __init__(self, where, workspace, pid):
        number = workspace.new("watch")
        place = "/watch" + os.path.basename(number) if where.root else number + ".d"
        self.seen = (where.root.path if where.root else "") + place
        self.started = program.Started(
            ["watch", "--pid", str(pid), "--give-up-after", "1s", "-o", place], workspace,
            prefix=["chroot", where.root.path] if where.root else [],
            binary="/stallproof" if where.root else where.binary, no_out=True,
            preexec_fn=old_kernel.become_old if where.old else None)

    def ended(self):
        ended = self.started.ended(25)
        ended.run_dir = self.seen
        return ended


def check_watch(checks, where, ended):
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    stall = (doc.get("stalls") or [{}])[0]
    checks.check(f"{where.name}: watch --pid catches and explains it", ended.code == 1
                 and stall.get("class") == "mmap_lock_cycle", f"{ended.describe()} {stall}")


def check_capture(checks, where, ended, words, blind):
    explanation = program.read_json(os.path.join(ended.run_dir, "explanation.json")) or {}
    checks.check(f"{where.name}: {' '.join(words[:2])}",
                 ended.code == (3 if blind else 0) and ended.seconds < 6
                 and explanation.get("class") == "mmap_lock_cycle"
                 and os.path.isfile(ended.run_dir + ".tar.gz"),
                 f"{ended.describe()} {explanation.get('class')}")


def looking(checks, where, workspace):
    files = [where.file(path) for path in SEED]
    ended = where.run(["explain", *files, "--json"], workspace)
    checks.check(f"{where.name}: explain the crash text", ended.code == 0
                 and (ended.doc or {}).get("class") == "mmap_lock_cycle", ended.describe())
    for words in (["list", "scenarios"], ["help", "exit-codes"], ["explain", "--crash-script"],
                  ["--version"]):
        ended = where.run(words, workspace, seconds=10)
        checks.check(f"{where.name}: {' '.join(words)}", ended.code == 0 and ended.out,
                     ended.describe())
    ended = where.run(["doctor"], workspace, seconds=20)
    checks.check(f"{where.name}: doctor answers", ended.code in (0, 77) and not ended.hung,
                 ended.describe())


def full_shared_memory(checks, binary, workspace):
    """3.10 has no memfd: shared memory lies in /dev/shm, which here is as good as full."""
    script = 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"'
    ended = run(["watch", "-o", workspace.new("full") + ".d", "--", "true"], workspace, seconds=20,
                prefix=["unshare", "-m", "sh", "-c", script, "sh"], binary=binary, no_out=True,
                preexec_fn=old_kernel.become_old)
    checks.check("a full /dev/shm is an error in one line", ended.code in (2, 3)
                 and "/dev/shm" in ended.err and ended.err.count("\n") == 1, ended.describe())


def without_proc(checks, binary, workspace):
    """No /proc, no /dev: what can work does, the rest says in a line what is missing."""
    root = Root(binary, kernel=False)
    checks.at_end(root.close)
    where = Environment("empty root without /proc", binary, root)
    files = [where.file(path) for path in SEED]
    ended = where.run(["explain", *files], workspace)
    checks.check(f"{where.name}: explain", ended.code == 0 and "mmap_lock_cycle" in ended.out,
                 ended.describe())
    for words, code, text in (
            (["repro", "mmap-lock-fault"], 77, "/dev/fuse: No such file"),
            (["capture"], 3, "/proc: No such file"), (["explain", "--live"], 3, "/proc: No such"),
            (["watch", "--pid", "1"], 2, "no such process"), (["show"], 2, "no run yet")):
        ended = where.run(words, workspace, seconds=15)
        checks.check(f"{where.name}: {' '.join(words)} says in a line what is missing",
                     one_line(ended, code, text) and ended.seconds < 12, ended.describe())
    ended = where.run(["doctor"], workspace, seconds=15)
    checks.check(f"{where.name}: doctor lists what is lacking", ended.code == 77
                 and ended.out.count("lacking") > 5, ended.describe())
    root.close()


def unpacked(checks, archive):
    """A directory of its own with the one directory that the tarball holds; the name of that."""
    folder = tempfile.mkdtemp(prefix="stallproof-tarball-", dir="/run")
    checks.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    name = os.path.basename(archive).removesuffix(".tar.gz")
    checks.check("the tarball holds one directory of its name", os.listdir(folder) == [name],
                 str(os.listdir(folder)))
    return folder, name


def tarball(checks, binary, workspace):
    """With nothing but what it holds as its root: the program and the files that it is told."""
    archive = binary + ".tar.gz"
    if os.environ.get("STATIC") and not os.path.isfile(archive):
        checks.skip("the tarball", f"none is beside {binary}")
        return
    if not checks.check("there is a tarball beside it", os.path.isfile(archive), archive):
        return
    folder, name = unpacked(checks, archive)
    top = os.path.join(folder, name)
    checks.all("the tarball holds what is installed", [
        part for part in PARTS if not os.path.isfile(os.path.join(top, part))])
    crash = [os.path.relpath(path, folder) for path in
             sorted(glob.glob(os.path.join(top, "share/doc/stallproof/examples/seed-crash/*.txt")))]
    for words, text in ((["--version"], name.split("-", 1)[1].removesuffix("-linux-x86_64")),
                        (["list", "scenarios"], "mmap-lock-fault"),
                        (["explain", *("/" + path for path in crash)], "mmap_lock_cycle")):
        ended = run(words, workspace, seconds=20, prefix=["chroot", folder],
                    binary=f"/{name}/bin/stallproof", no_out=True)
        checks.check(f"unpacked anywhere: {words[0]}", ended.code == 0 and text in ended.out,
                     ended.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deadline", type=int, default=400)
    options = parser.parse_args()
    with Checks("old_system", options.deadline) as checks:
        binary = static_file()
        if not checks.check("there is a static file", binary and os.path.isfile(binary),
                            "run ci/package/static"):
            return checks.code
        size = os.path.getsize(binary)
        checks.check("it is small", size <= LIMIT_BYTES, f"{size} bytes")
        checks.row("size of the static file, bytes", str(size), f"<= {LIMIT_BYTES}")
        workspace = Workspace()
        checks.at_end(workspace.remove)
        tarball(checks, binary, workspace)
        root = Root(binary)
        checks.at_end(root.close)
        for where in (Environment("empty root", binary, root),
                      Environment("calls of 3.10", binary, old=True),
                      Environment("empty root, calls of 3.10", binary, root, old=True)):
            looking(checks, where, workspace)
            for variant in ("read-error", "invalidate"):
                repro(checks, where, workspace, variant, blind=where.old)
            standing_deadlock(checks, where, workspace, blind=where.old)
        root.close()
        full_shared_memory(checks, binary, workspace)
        without_proc(checks, binary, workspace)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
