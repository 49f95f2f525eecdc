# SPDX-License-Identifier: Apache-2.0
"""What the machine looks like before and after: FUSE connections, mounts, sysctls, entries of the
shared directories, processes. What can hang is read by a child that is killed.
Others who mount, or write to /tmp, meanwhile are blamed on us: measure on a machine of its own."""

import os
import re
import subprocess
import sys
import tempfile
import time

SYSCTLS = (
    "kernel/hung_task_timeout_secs", "kernel/hung_task_warnings", "kernel/hung_task_panic",
    "kernel/hung_task_check_interval_secs", "kernel/hung_task_all_cpu_backtrace", "kernel/sysrq",
    "kernel/panic", "kernel/panic_on_oops", "kernel/softlockup_panic", "kernel/printk",
    "kernel/printk_ratelimit", "kernel/perf_event_paranoid", "kernel/unprivileged_bpf_disabled",
    "fs/fuse/default_request_timeout", "fs/fuse/max_request_timeout", "vm/drop_caches")
SHARED_FOLDERS = ("/tmp", "/dev/shm", "/run")
OWN_FOLDER = "/run/stallproof"
# Made by other programs of the machine while we look.
NOT_OURS = re.compile(r"^(systemd-|cc\w{6}|\.?X\d|tmux|apt|lock$|log$)")
READ_SECONDS = 1.0
CLIENT = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read(4096))"


class Look:
    """One look at the machine. Holds only plain sets and dicts, so tests can build one."""

    def __init__(self, connections=(), mounts=(), sysctls=None, entries=(), pids=None):
        self.connections, self.mounts = set(connections), set(mounts)
        self.sysctls, self.entries, self.pids = sysctls or {}, set(entries), pids or {}


def look():
    return Look(fuse_connections(), mounts(), read_sysctls(), shared_entries(), processes())


def differences(before, after, ours=frozenset(), session=None):
    """Sentences about what is not as it was. `ours`: pids the run reported; `session`: its own."""
    found = []
    found += [f"FUSE connection {name} is left" for name in after.connections - before.connections]
    found += [f"mount is left: {line}" for line in after.mounts - before.mounts]
    # What a killed run has left is undone by the next one.
    found += [f"mount is gone: {line}" for line in before.mounts - after.mounts
              if not line.startswith(OWN_FOLDER + "/")]
    found += [f"sysctl {name} was {value}, is {after.sysctls.get(name)}"
              for name, value in before.sysctls.items() if after.sysctls.get(name) != value]
    found += [f"{name} is left" for name in after.entries - before.entries]
    for pid, (name, owner) in after.pids.items():
        if pid in before.pids:
            continue
        if pid in ours or (session is not None and owner == session):
            found.append(f"process {pid} ({name}) is left")
    return sorted(found)


def clean_machine(before, ended=None, session=None, grace_s=1.0):
    """The differences that stay for `grace_s`, and every new process whose cmdline hangs."""
    ours = ended.pids() if ended is not None else set()
    deadline = time.monotonic() + grace_s
    while True:
        after = look()
        found = differences(before, after, ours, session)
        if not found or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    fresh = [pid for pid in after.pids if pid not in before.pids or pid in ours]
    return found + [f"reading /proc/{pid}/cmdline hangs" for pid in fresh if cmdline_hangs(pid)]


def cmdline_hangs(pid):
    return bounded_read(f"/proc/{pid}/cmdline") == "hangs"


def bounded_read(path, seconds=READ_SECONDS):
    """'read', 'gone' or 'hangs', by a child that is given up on when even SIGKILL does not help."""
    child = subprocess.Popen([sys.executable, "-ISc", CLIENT, path], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return "read" if child.wait(timeout=seconds + 1.0) == 0 else "gone"
    except subprocess.TimeoutExpired:
        child.kill()
        try:
            child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            pass
        return "hangs"


def fuse_connections():
    """Numbers of all FUSE connections; fusectl is mounted where only the looking child sees it."""
    with tempfile.TemporaryDirectory(prefix="stallproof-look-", dir="/run") as folder:
        script = f"mount -t fusectl none {folder} && ls {folder}"
        listing = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True,
                                 text=True, timeout=10, check=False)
    if listing.returncode != 0:
        raise RuntimeError(f"fusectl: {listing.stderr.strip()} (is the fuse module loaded?)")
    return set(listing.stdout.split())


def mounts():
    """One line per mount, without the numbers that change by themselves."""
    found = set()
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        for line in stream:
            fields = line.split()
            dash = fields.index("-")
            found.add(f"{fields[4]} {fields[dash + 1]} {fields[dash + 2]}")
    return found


def read_sysctls():
    found = {}
    for name in SYSCTLS:
        try:
            with open("/proc/sys/" + name, encoding="utf-8") as stream:
                found[name] = stream.read().strip()
        except OSError:
            pass
    return found


def shared_entries():
    """Entries of the shared folders and of the program's own, which itself may stay, empty."""
    found = {os.path.join(folder, name) for folder in SHARED_FOLDERS
             for name in os.listdir(folder) if not NOT_OURS.match(name)}
    if OWN_FOLDER in found:
        found.remove(OWN_FOLDER)
        found |= {os.path.join(OWN_FOLDER, name) for name in os.listdir(OWN_FOLDER)}
    return found


def processes():
    """{pid: (name, session)} from the status files, which take no lock of the process."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        status = read_status(name)
        if status is not None and not status.get("State", "").startswith(("Z", "X")):
            found[int(name)] = (status.get("Name", "?"), last_number(status.get("NSsid")))
        elif status is not None and status.get("Threads", "1") != "1":
            # A zombie leader whose threads are stuck is a process that is left.
            found[int(name)] = (status.get("Name", "?"), last_number(status.get("NSsid")))
    return found


def read_status(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as stream:
            return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
    except OSError:
        return None


def last_number(text):
    return int(text.split()[-1]) if text else None
