# SPDX-License-Identifier: Apache-2.0
"""Judges what explain --vmcore says of a dump. Pure."""

import collections
import re

MOST_HANG = 5.0


def stacks_of_bt(text):
    """PID to (comm, [function])."""
    stacks, frames = {}, []
    for line in text.splitlines():
        if head := re.match(r'PID: (\d+) .*COMMAND: "(.*)"', line):
            frames = []
            stacks[int(head[1])] = (head[2], frames)
        elif frame := re.match(r" *#\d+ \[[0-9a-f]+\] (\S+) at ", line):
            frames.append(frame[1])
    return stacks


def stacks_of_proc(text):
    """PID to (comm, state, [function]) out of "== TID COMM State: S (…)" and /proc/PID/stack."""
    stacks, frames = {}, []
    for line in text.splitlines():
        if head := re.match(r"== (\d+) (.*?) State:\s*(\S)", line):
            frames = []
            stacks[int(head[1])] = (head[2], head[3], frames)
        elif frame := re.match(r"\[<0>\] ([^+\s]+)", line):
            frames.append(frame[1])
    return stacks


def without_frames(stacks, wanted):
    """Of `wanted`, {name: [function]}: what no stack has, one after the other."""
    def has(frames, part):
        return any(frames[i:i + len(part)] == part for i in range(len(frames)))
    return [f"no {name}: {' < '.join(part[:4])} …" for name, part in wanted.items()
            if not any(has(frames, part) for _, frames in stacks.values())]


# What /proc/PID/stack leaves out: functions of the scheduler and of locks, always innermost.
LEFT_OUT = re.compile(r"schedule|rwsem_|down_|mutex_lock|wait_for_c|__wait_for|io_schedule|"
                      r"wait_for_common|usleep|hrtimer|nanosleep|wait_woken|kthread_parkme|"
                      r"bit_wait|out_of_line_wait|__down|percpu|rt_mutex")


def different_stacks(ours, before):
    """(tasks compared, what differs, who has moved on): those that slept through must have the same
    functions in the same order. What polls or serves a timer moves on; what is stuck does not."""
    compared, differ, moved = 0, [], []
    for pid, (comm, state, frames) in before.items():
        if state not in "SDI" or not frames or pid not in ours:
            continue
        mine = ours[pid][1]
        compared += 1
        inner = mine[:len(mine) - len(frames)]
        if mine[-len(frames):] == frames and all(LEFT_OUT.search(each) for each in inner):
            continue
        if state == "D" or comm.startswith("dataio_srv"):
            differ.append(f"{comm} {pid}: {' < '.join(mine[:6])} for {' < '.join(frames[:4])}")
        else:
            moved.append(f"{comm} {pid}")
    return compared, differ, moved


# What a thread may count for itself before its address space has it: TASK_RSS_EVENTS_THRESH pages.
OWN_ACCOUNT_KIB = 64 * 4


def different_sizes(tasks, before):
    """(processes compared, what differs): --tasks against /proc/PID/status, of processes that have
    a stuck thread: of its sizes."""
    rows, stuck = {}, set()
    for line in tasks.splitlines():
        if row := re.match(r"[> ] +(\d+) +\d+ +\S+ +[0-9a-f]+ +(\S\S) +\S+ +(\d+) +(\d+) +", line):
            rows[int(row[1])] = (int(row[3]), int(row[4]))
            if row[2] == "UN" and int(row[3]):
                stuck.add(rows[int(row[1])])
    compared, differ = 0, []
    for pid, virtual, resident in re.findall(
            r"/proc/(\d+)/status Name: .* VmSize: (\d+) kB VmRSS: (\d+) kB", before):
        ours = rows.get(int(pid))
        if ours not in stuck:
            continue
        compared += 1
        threads = sum(each == ours for each in rows.values())
        if ours[0] != int(virtual) or abs(ours[1] - int(resident)) > threads * OWN_ACCOUNT_KIB:
            differ.append(f"{pid}: {ours[0]}, {ours[1]} KiB for {virtual}, {resident} KiB")
    return compared, differ


def roles_of(told):
    """Role to [command], sorted: the same for every lens."""
    roles = collections.defaultdict(list)
    for node in told["nodes"]:
        if node["kind"] == "task":
            roles[node["role"]].append(node["comm"])
    return {role: sorted(comms) for role, comms in roles.items()}


def different_roles(told, read):
    """Roles whose tasks differ, of the dump and of its text read back."""
    same = ("holder", "queued_writer", "queued_reader", "service", "idle_service")
    was, now = roles_of(told), roles_of(read)
    return [f"{role}: {now.get(role)} for {was.get(role)}" for role in same
            if now.get(role) != was.get(role)]


def unacceptable(ran):
    """Of a damaged dump: refused in one line, or a result; never dead, never late."""
    if ran.seconds > MOST_HANG:
        return f"{ran.seconds:.1f} s"
    if ran.code == 2 and len(ran.err.strip().splitlines()) == 1:
        return ""
    return "" if ran.code in (0, 3) and ran.out else f"exit {ran.code}: {ran.err[-120:]}"


def unacceptable_cut(ran):
    """Of a dump that is cut short nothing may be told but that."""
    if problem := unacceptable(ran):
        return problem
    return "" if ran.code == 2 and not ran.out else f"exit {ran.code}: {ran.out[:80]}"
