# SPDX-License-Identifier: Apache-2.0
"""Judges the evidence of one case. Each function returns what is wrong, in sentences."""

from kmod_evidence import numbers, read, tasks_of_stacks, tasks_of_sysrq

STALL_LIMIT_MS = 5000
# The crash core's frames, innermost first. /proc/PID/stack leaves out scheduler and locks.
POOL = ["dataio_srv_tcb", "ofs_tpool_tcb", "ofs_daemon_proxy", "kthread"]
SERVICE = ["ffs_get_user_page", "ffs_copy_to_user", "ffs_get_size", "__direct_read_cb",
           "dataio_ack", "segread_end", "dinode_odc_nr", *POOL]
IDLE = ["ofs_tjobq_timedwait_locked", "ofs_tjobq_purge", *POOL]
HOLDER = ["lock_blkgrp_sync", "wait_on_blkgrp_locked", "filemap_read_blkgrp",
          "__ffs_do_filemap_fault", "ffs_do_filemap_fault", "ffs_filemap_fault", "__do_fault"]
WRITER = ["do_mprotect_pkey", "__x64_sys_mprotect"]
# Renamed since 3.10: rwsem_down_read_failed, rwsem_down_write_failed, down_write.
SERVICE_LOCK = ["rwsem_down_read_slowpath", "down_read", *SERVICE]
WRITER_LOCK = ["rwsem_down_write_slowpath", "down_write_killable", *WRITER]

# kind: (who is blocked, the innermost frame that /proc/PID/stack shows)
HELD = {
    "mmap_read": ("java-mprotect", ["do_mprotect_pkey"]),
    "mmap_write": ("dataio_srv/", ["ffs_get_user_page"]),
    "rwsem_read": ("java-direct", ["ffs_wait_rwsem_write"]),
    "rwsem_write": ("java-direct", ["ffs_wait_rwsem_read"]),
    "mutex": ("java-direct", ["ffs_wait_mutex"]),
    "semaphore": ("java-direct", ["ffs_wait_semaphore"]),
    "completion": ("java-direct", ["ffs_wait_completion"]),
    "sleep": ("java-direct", ["ffs_wait_sleep"]),
}

# name: (exit code is 0, what is said)
REFUSALS = {
    "no-acceptance": (False, "Operation not permitted"),
    "fix": (False, "Invalid"),
    "queues": (False, "Invalid"),
    "threads": (False, "Invalid"),
    "no-process": (False, "No such process"),
    "kernel-thread": (False, "Invalid argument"),
    "too-long": (False, "Invalid argument"),
    "no-number": (False, "Invalid argument"),
    "too-many-words": (False, "Invalid argument"),
    "long-line": (False, ""),  # the busybox program is silent
    "unload-while-held": (True, ""),
}
REASONS = ("load it with i_accept_hangs=1", "fix=nonsense is unknown", "queues=many is unknown",
           "threads, segment_kib or file_mib is out of range")
KERNEL_FAULTS = ("BUG:", "WARNING:", "Oops", "general protection", "refcount_t")


def refusals(folder):
    wrong = []
    for name, (accepted, said) in REFUSALS.items():
        text = read(folder, name)
        code = numbers(text).get("code")
        if code is None or (code == 0) != accepted or said not in text:
            wrong.append(f"{name}: {text.strip() or 'nothing written'}")
    kmsg = read(folder, "kmsg")
    return wrong + [f"kernel log lacks: {each}" for each in REASONS if each not in kmsg]


def any_with(tasks, comm, frames, innermost=False):
    """Tasks in D; /proc/PID/stack leaves out all that is called from the innermost of `frames`."""
    return [task for task in tasks if task.comm.startswith(comm) and task.state == "D" and
            (task.begins_with(frames) if innermost else task.has(frames))]


def stall(folder):
    """The circle stands: who holds, who queues to write, which service threads wait."""
    wrong = []
    came = numbers(read(folder, "standstill")).get("stalled")
    if came is None or came > STALL_LIMIT_MS:
        wrong.append(f"no stall within {STALL_LIMIT_MS} ms: {read(folder, 'standstill').strip()}")
    tasks = tasks_of_stacks(read(folder, "stacks"))
    blocked = tasks_of_sysrq(read(folder, "sysrq-w"))
    for form, seen, service, writer in (("stack", tasks, SERVICE, WRITER),
                                        ("sysrq-w", blocked, SERVICE_LOCK, WRITER_LOCK)):
        for role, comm, frames in (("holder", "java-fault", HOLDER),
                                   ("writer", "java-mprotect", writer),
                                   ("service thread", "dataio_srv/", service)):
            if not any_with(seen, comm, frames, form == "stack"):
                wrong.append(f"{form} shows no {role} with the crash core's frames")
    for task in tasks:
        if task.comm.startswith("dataio_srv/") and not (
                task.begins_with(SERVICE) or task.begins_with(IDLE)):
            wrong.append(f"{task.comm} is neither stuck nor idle: {' < '.join(task.frames)}")
    if numbers(read(folder, "counters")).get("hazards", 0) < 1:
        wrong.append("no hazard was counted")
    return wrong + ended(folder, ("gone", "rmmod"))


def ended(folder, words):
    codes = numbers(read(folder, "end"))
    return [f"{word} {codes.get(word, 'not reached')}" for word in words if codes.get(word) != 0]


def fix(folder, seconds):
    """Work in every second, and the window in which the stall closes was entered."""
    wrong, before = [], {}
    for second in range(1, seconds + 1):
        now = numbers(read(folder, f"counters-{second}"))
        for name in ("page_reads", "direct_reads"):
            if now.get(name, 0) <= before.get(name, 0):
                wrong.append(f"no {name} in second {second}")
        before = now
    if before.get("hazards", 0) < 1:
        wrong.append("no hazard was entered")
    if before.get("failed", 1) != 0:
        wrong.append(f"{before.get('failed', '?')} jobs failed")
    said = read(folder, "client").strip()
    return wrong + ([said] if said else []) + ended(folder, ("client", "rmmod"))


def hold(folder, kind):
    wrong, seen = [], numbers(read(folder, "progress"))
    if seen.get("held") != 0 or not read(folder, "state").startswith("held by "):
        wrong.append(f"not held: {read(folder, 'state').strip()}")
    if seen.get("after", 0) <= seen.get("while", 0):
        wrong.append("nothing is served after the release")
    if kind == "spin":
        if "soft lockup" not in read(folder, "kmsg"):
            wrong.append("no soft lockup in the kernel log")
        return wrong + ended(folder, ("gone", "rmmod"))
    if seen.get("before", 0) != seen.get("while", -1):
        wrong.append(f"{seen.get('while')} served while held, {seen.get('before')} before")
    comm, frames = HELD[kind]
    if not any_with(tasks_of_stacks(read(folder, "stacks")), comm, frames, True):
        wrong.append(f"no {comm} blocked in {frames[0]}")
    if not any_with(tasks_of_sysrq(read(folder, "sysrq-w")), comm, frames):
        wrong.append(f"sysrq-w shows no {comm} in {frames[0]}")
    return wrong + ended(folder, ("gone", "rmmod"))


def kernel_log(text):
    """A soft lockup is ordered; anything else that the kernel complains of is not."""
    lines = [line for line in text.splitlines() if "soft lockup" not in line]
    return [line for line in lines if any(fault in line for fault in KERNEL_FAULTS)]
