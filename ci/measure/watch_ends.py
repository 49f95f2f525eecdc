# SPDX-License-Identifier: Apache-2.0
"""Targets of `stallproof watch` that go while they are watched: a process, one whose pid somebody
else gets, a mount."""

import os
import subprocess
import sys
import time

import program
from own_mounts import Tmpfs
from program import Started


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def work_seen(ended):
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    return sum(load["ops"] for load in doc.get("workloads", {}).values())


def all_of_them(checks, workspace, reader):
    """`reader`: a Python program that reads for ever."""
    ended_process(checks, workspace, reader)
    recycled_pid(checks, workspace, reader)
    vanished_mount(checks, workspace)


def ended_process(checks, workspace, reader):
    with_pid = subprocess.Popen([sys.executable, "-c", reader])
    started = Started(["watch", "--pid", str(with_pid.pid)], workspace)
    time.sleep(1.5)
    with_pid.kill()
    with_pid.wait()
    ended = started.ended(10)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    checks.check("a process that ends ends its watch",
                 ended.code in (0, 3) and "is gone" in str(doc.get("settings")), ended.describe())


def start_as(pid, command):
    """A process with this very pid, which must be free; None when others were always faster."""
    for _ in range(50):
        write("/proc/sys/kernel/ns_last_pid", str(pid - 1))
        process = subprocess.Popen(command)
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


def recycled_pid(checks, workspace, reader):
    if not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK):
        checks.skip("a recycled pid", "this kernel lets nobody choose a pid")
        return
    first = subprocess.Popen([sys.executable, "-c", reader])
    started = Started(["watch", "--pid", str(first.pid), "--duration", "8s"], workspace)
    time.sleep(2)
    first.kill()
    first.wait()
    second = start_as(first.pid, [sys.executable, "-c", reader])
    ended = started.ended(15)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    checks.check("who gets the pid of a watched process that ended is not watched",
                 second is not None and ended.seconds < 6 and "is gone" in str(doc.get("settings")),
                 f"{ended.describe()} {doc.get('settings')}")
    if second is not None:
        second.kill()
        second.wait()


def vanished_mount(checks, workspace):
    """Unmounted lazily: whoever has a file of it open goes on, out of sight."""
    mount = Tmpfs()
    path = os.path.join(mount.path, "data")
    write(path, "x" * 4096)
    reader = ("import time\n"
              f"f = open('{path}', 'rb', 0)\n"
              "while True:\n f.seek(0); f.read(4096); time.sleep(0.002)")
    process = subprocess.Popen([sys.executable, "-c", reader])
    time.sleep(0.5)
    started = Started(["watch", "--mount", mount.path, "--duration", "10s"], workspace)
    time.sleep(2)
    mount.remove()
    ended = started.ended(15)
    process.kill()
    process.wait(10)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    checks.check("a mount that vanishes ends its watch, which is never green",
                 ended.code == 3 and ended.seconds < 6 and work_seen(ended) > 100
                 and "vanished while it was watched" in str(doc.get("reasons")),
                 f"{ended.describe()} {doc.get('reasons')}")
