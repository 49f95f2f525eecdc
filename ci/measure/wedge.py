#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What hangs other watchers must not hold up ours: a flood of the kernel log, a silent hung-task
detector, 300 blocked tasks, a target with its mmap_lock write-held or stuck in exec, a dead mount.
Each time the loop stays on time, the verdict is right or `unknown`, and the command ends."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from foreign import FfsTarget  # noqa: E402
from program import Started, Workspace, read_json, read_text, run  # noqa: E402

LAG_MS = 100
FLOOD_PER_S = 10000
WATCH = ["watch", "--fail-after", "1s", "--give-up-after", "1s"]
REPRO = ["repro", "mmap-lock-fault", "--json", "--deadline", "60s"]

# Writes as facility 1 (user), which the kernel forces upon processes anyway.
FLOOD = """
import os, sys, time
log, rate, number = os.open('/dev/kmsg', os.O_WRONLY), int(sys.argv[1]), 0
began = time.monotonic()
while True:
    while number < (time.monotonic() - began) * rate:
        os.write(log, b'<14>INFO: task flood:%d blocked for more than 120 seconds.' % number)
        number += 1
    time.sleep(0.005)
"""

# Reads the mount until it is told to do worse: `read` goes on, `map` maps over a dirty page of the
# mount, `exec` starts another program while it has one.
PARTY = """
import ctypes, mmap, os, select, sys, threading, time
path, kind = sys.argv[1], sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
os.ftruncate(fd, 65536)
at = libc.mmap(None, 4096, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, 0)
def read_on():
    while True:
        os.posix_fadvise(fd, 4096, 61440, os.POSIX_FADV_DONTNEED)
        os.pread(fd, 4096, 4096)
        os.stat(path)
        time.sleep(0.002)
if kind != 'exec':
    threading.Thread(target=read_on, daemon=True).start()
print('ready', flush=True)
def wait_for_word(reads):
    while not select.select([sys.stdin], [], [], 0)[0]:
        if reads:
            os.pread(fd, 4096, 4096)
            os.stat(path)
        time.sleep(0.002)
    sys.stdin.readline()
wait_for_word(kind == 'exec')
if kind != 'read':
    ctypes.memset(at, 1, 4096)
print('dirty', flush=True)
wait_for_word(False)  # who asks a stopped server now never comes to what is meant
if kind == 'map':
    libc.mmap(at, 4096, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10, -1, 0)
if kind == 'exec':
    os.execv('/bin/sleep', ['sleep', '60'])
time.sleep(60)
"""


@contextlib.contextmanager
def sysctls(checks, **values):
    """Sets them and puts them back, whatever happens; False when one cannot be set."""
    before = {name: read_text(f"/proc/sys/kernel/{name}").strip() for name in values}

    def put(settings):
        for name, value in settings.items():
            with open(f"/proc/sys/kernel/{name}", "w", encoding="ascii") as stream:
                stream.write(value + "\n")  # printk_devkmsg insists on the end of the line

    undo = [lambda: put({name: value for name, value in before.items() if value})]
    checks.at_end(lambda: undo and undo[0]())
    try:
        put(values)
        yield True
    except OSError:
        yield False
    finally:
        undo[0]()
        undo.clear()


@contextlib.contextmanager
def flooded(checks):
    with sysctls(checks, printk_devkmsg="on") as unlimited:
        checks.check("processes may flood the kernel log", unlimited, "printk_devkmsg is fixed")
        writer = subprocess.Popen([sys.executable, "-c", FLOOD, str(FLOOD_PER_S)])
        try:
            yield
        finally:
            writer.kill()
            writer.wait(10)


def judge_loop(checks, name, ended, doc, verdicts):
    """On time, and a verdict that is allowed."""
    if ended.hung or not doc:
        return checks.check(name, False, ended.describe())
    checks.check(f"{name}: verdict is {' or '.join(verdicts)}", doc.get("verdict") in verdicts,
                 f"{doc.get('verdict')}: {doc.get('reasons')}")
    for key in ("loop_lag_max_ms", "tick_max_ms"):
        value = judge.number(doc, "observer", key)
        checks.all(f"{name}: {key}", judge.within(key, value, LAG_MS, at_least=0))
        checks.row(f"{name}: {key}", value, LAG_MS)
    return True


def flood(checks, space):
    with flooded(checks):
        time.sleep(0.5)
        reader = "import time\nfor i in range(400):\n open('/etc/hosts').read(); time.sleep(0.01)"
        ended = run(["watch"], space, seconds=30, after=["--", sys.executable, "-c", reader])
        doc = read_json(os.path.join(ended.run_dir, "verdict.json"))
        name = f"{FLOOD_PER_S} lines a second in the kernel log, healthy load"
        judge_loop(checks, name, ended, doc, ("pass", "unknown"))
        checks.check("what a process writes into the log is no report of the kernel",
                     not (doc or {}).get("stalls"), f"{doc and doc.get('stalls')}")
        checks.row(f"{name}: records lost", judge.number(doc or {}, "observer", "kmsg_lost"), None)
        ended = run([*REPRO, "--stall-after", "2s", "--fail-after", "2s"], space, seconds=60)
        name = f"{FLOOD_PER_S} lines a second in the kernel log, the reported stall"
        judge_loop(checks, name, ended, ended.doc, ("pass", "unknown"))
        stalls = (ended.doc or {}).get("stalls") or [{}]
        checks.check(f"{name}: explained", stalls[0].get("class") == "mmap_lock_cycle", f"{stalls}")


def silent_kernel(checks, space):
    with sysctls(checks, hung_task_warnings="0", hung_task_timeout_secs="1") as there:
        if not there:
            checks.skip("hung_task_warnings = 0", "this kernel has no hung-task detector")
            return
        ended = run([*REPRO, "--stall-after", "4s", "--fail-after", "4s"], space, seconds=60)
    name = "hung_task_warnings = 0"
    judge_loop(checks, name, ended, ended.doc, ("pass",))
    stalls = (ended.doc or {}).get("stalls") or [{}]
    incident = ended.incident(stalls[0].get("id", "001")).get("incident.json", {})
    checks.check(f"{name}: the kernel's report supports the incident all the same",
                 "hung-task" in incident.get("detectors", []), f"{incident.get('detectors')}")
    before = os.path.join(ended.run_dir, "incidents/001/before")
    checks.check("before/ holds loads, machine, kernel log and blocked tasks",
                 all(os.path.exists(os.path.join(before, file)) for file in
                     ("views.csv", "system.csv", "kmsg.txt", "blocked.txt"))
                 and len(read_text(os.path.join(before, "system.csv")).splitlines()) > 4,
                 str(os.path.isdir(before) and os.listdir(before)))


def many_blocked(checks, space):
    # Of many faulting threads most sleep in FUSE's wait, which is not D; of many that mprotect all
    # but one wait for the lock.
    ended = run([*REPRO, "--stall-after", "10s", "--fail-after", "10s", "--param",
                 "mprotect-threads=400"], space, seconds=60)
    judge_loop(checks, "300 blocked tasks", ended, ended.doc, ("pass", "unknown"))
    text = read_text(os.path.join(ended.run_dir, "incidents/001/before/blocked.txt"))
    counts = [int(line.split(": ")[1].split()[0]) for line in text.splitlines()
              if line.startswith("-") and line.endswith(" blocked")]
    checks.check("300 blocked tasks: seen before the incident", counts and counts[-1] >= 300,
                 f"{counts}")


def hangs(path):
    """True when reading it does not come back within a second."""
    try:
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=1, check=False)
        return False
    except subprocess.TimeoutExpired:
        return True


def tell(party, word):
    party.stdin.write(word + "\n")
    party.stdin.flush()


def stuck_target(checks, space, kind, name, witness):
    """`witness`: the file below /proc/PID whose reader hangs when the target is stuck as meant."""
    with FfsTarget("writable=yes", "store-size=16m", "file-size=1m") as target:
        party = subprocess.Popen([sys.executable, "-c", PARTY, target.mount + "/party", kind],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        checks.at_end(party.kill)
        try:
            checks.check(f"{name}: its load runs", party.stdout.readline() == "ready\n", "no load")
            started = Started(WATCH, space, after=["--pid", str(party.pid)])
            time.sleep(2.5)
            tell(party, "dirty a page")
            party.stdout.readline()
            os.kill(target.process.pid, signal.SIGSTOP)
            time.sleep(0.05)
            tell(party, "go on")
            time.sleep(0.5)
            if witness:
                checks.check(f"{name}: stuck as meant, /proc/PID/{witness} hangs",
                             hangs(f"/proc/{party.pid}/{witness}"), "it does not")
            ended = started.ended(30)
        finally:
            target.heal()
            os.kill(target.process.pid, signal.SIGCONT)
            party.kill()
            party.wait(10)
            party.stdin.close()
            party.stdout.close()
    doc = read_json(os.path.join(ended.run_dir, "verdict.json"))
    judge_loop(checks, name, ended, doc, ("fail", "unknown"))


def notified(checks, space):
    """A service manager hears that we live only while the watchdog does."""
    path = space.new("notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.setblocking(False)

    def heard(seconds):
        time.sleep(seconds)
        text = ""
        with contextlib.suppress(BlockingIOError):
            while True:
                text += manager.recv(4096).decode()
        return text

    environment = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="1000000")
    reader = "import time\nfor i in range(800):\n open('/etc/hosts').read(); time.sleep(0.01)"
    started = Started(["watch"], space, after=["--", sys.executable, "-c", reader],
                      env=environment)
    watchdog = started.wait_event(20, event="child", role="watchdog")
    first = heard(2)
    os.kill(watchdog["pid"], signal.SIGSTOP)
    heard(1.5)
    silent = heard(1.5)
    os.kill(watchdog["pid"], signal.SIGCONT)
    again = heard(1.5)
    ended = started.ended(20)
    last = heard(0)
    manager.close()
    checks.check("READY=1 and WATCHDOG=1 while the watchdog lives",
                 "READY=1" in first and first.count("WATCHDOG=1") >= 3, repr(first))
    checks.check("no WATCHDOG=1 while it is stopped", "WATCHDOG=1" not in silent, repr(silent))
    checks.check("WATCHDOG=1 again when it goes on", "WATCHDOG=1" in again, repr(again))
    checks.check("STOPPING=1 at the end", "STOPPING=1" in last, repr(last))
    doc = read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    gaps_ms = judge.number(doc, "observer", "gaps_ms") or 0
    checks.check("a watchdog that was stopped saw no stall, says for how long, and is unknown",
                 doc.get("verdict") == "unknown" and not doc.get("stalls")
                 and judge.number(doc, "observer", "gaps") == 1 and 2500 <= gaps_ms <= 4000
                 and ended.code == 3, f"{ended.describe()} {doc.get('observer')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one of flood, silent, many, dead, map, exec, notify")
    options = parser.parse_args()
    parts = {
        "flood": flood, "silent": silent_kernel, "many": many_blocked,
        "dead": lambda c, s: stuck_target(c, s, "read", "a mount whose server is stopped", None),
        "map": lambda c, s: stuck_target(c, s, "map", "mmap_lock held for write", "maps"),
        "exec": lambda c, s: stuck_target(c, s, "exec", "stuck in exec", "stat"),
        "notify": notified}
    with Checks("wedge", 300) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for key, part in parts.items():
            if options.only in (None, key):
                part(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
