# SPDX-License-Identifier: Apache-2.0
"""What a run of the zoo is disturbed by from outside; each leaves the machine as it was."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time

ARMED_WITHIN = 20
STANDS_AFTER = 1.5  # after arming: the stall is one
STOPPED_FOR = 3.0
BURNS_FOR = 2.0  # less than three times the stall-after of who meets it
# Ends by itself: nobody else may get to end it.
BURNER = f"""
import os, sys, time
os.sched_setaffinity(0, [int(sys.argv[1])])
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
end = time.monotonic() + {BURNS_FOR}
while time.monotonic() < end:
    for _ in range(20000):
        pass
    os.sched_yield()
"""


@contextlib.contextmanager
def sysctls(**values):
    """kernel.NAME=VALUE for as long as this lasts. Yields False when this kernel has not all."""
    before = {}
    try:
        for name, value in values.items():
            path = f"/proc/sys/kernel/{name}"
            with open(path, encoding="utf-8") as stream:
                before[path] = stream.read()
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(f"{value}\n")
        yield True
    except FileNotFoundError:
        yield False
    finally:
        for path, value in reversed(before.items()):
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(value)


def kernel_detector(seconds):
    """The kernel's own hung-task detector, at its quickest and never out of warnings."""
    return sysctls(hung_task_check_interval_secs=1, hung_task_timeout_secs=seconds,
                   hung_task_warnings=-1)


def wait_armed(started):
    return started.wait_event(ARMED_WITHIN, event="armed") is not None


def failed_writes(started):
    """While the stall stands: a disk of our own that has no room for what is written to it, which
    the kernel reports."""
    if not wait_armed(started):
        return
    time.sleep(STANDS_AFTER)
    with full_disk() as device, open(device, "wb", buffering=0) as disk:
        disk.write(b"x" * (4 << 20))
        with contextlib.suppress(OSError):
            os.fsync(disk.fileno())


@contextlib.contextmanager
def full_disk():
    """A loop device of 16 MiB on a file for which there is 1 MiB of room."""
    folder = tempfile.mkdtemp(prefix="stallproof-full-", dir="/run")
    quiet = {"check": True, "timeout": 10, "stdout": subprocess.DEVNULL}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], **quiet)
    device = None
    try:
        with open(folder + "/image", "wb") as image:
            image.truncate(16 << 20)
        device = subprocess.run(["losetup", "--find", "--show", folder + "/image"], check=True,
                                timeout=10, capture_output=True, text=True).stdout.strip()
        yield device
    finally:
        if device:
            subprocess.run(["losetup", "--detach", device], **{**quiet, "check": False})
        for _ in range(50):
            if subprocess.run(["umount", folder], check=False, timeout=10,
                              stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        os.rmdir(folder)


def no_cpu_left(started):
    """Each CPU goes to a process of real-time priority, all but the 50 ms of each second that the
    kernel keeps for the others (fair server, kernel/sched/deadline.c, 6.12; before that
    kernel.sched_rt_runtime_us). It yields to the watchdog, which has that priority too."""
    if not wait_armed(started):
        return
    burners = [subprocess.Popen([sys.executable, "-ISc", BURNER, str(cpu)])
               for cpu in sorted(os.sched_getaffinity(0))]
    for each in burners:
        each.wait(BURNS_FOR * 8)


def stopped_together(started):
    """The load and its watchdog do not run for a while, as when the whole machine does not; the
    watchdog goes on first."""
    pids = [event["pid"] for event in (started.wait_event(ARMED_WITHIN, event="child", role=role)
                                       for role in ("worker", "watchdog")) if event]
    if len(pids) < 2 or not wait_armed(started):
        return
    time.sleep(STANDS_AFTER)
    with contextlib.suppress(ProcessLookupError):
        for number, pause in ((signal.SIGSTOP, STOPPED_FOR), (signal.SIGCONT, 0.2)):
            for pid in pids if number == signal.SIGSTOP else reversed(pids):
                os.kill(pid, number)
                time.sleep(0 if number == signal.SIGSTOP else pause)
            time.sleep(pause)
