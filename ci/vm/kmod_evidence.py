# SPDX-License-Identifier: Apache-2.0
"""Reads what kmod_guest.sh wrote down: stacks, blocked tasks of sysrq-w, counters, codes."""

import os
import re


class Task:
    def __init__(self, tid, comm, state):
        self.tid, self.comm, self.state, self.frames = tid, comm, state, []

    def has(self, frames):
        """Whether these frames, innermost first, stand on the stack one below the other."""
        count = len(frames)
        return any(self.frames[at:at + count] == list(frames)
                   for at in range(len(self.frames) - count + 1))

    def begins_with(self, frames):
        return self.frames[:len(frames)] == list(frames)


def tasks_of_stacks(text):
    """The form of /proc/PID/stack, each headed by `== TID COMM STATE`."""
    found = []
    for line in text.splitlines():
        head = re.match(r"== (\d+) (.*) ([A-Z]) \(", line)
        frame = re.match(r"\[<0>\] ([^+ ]+)", line)
        if head:
            found.append(Task(int(head[1]), head[2], head[3]))
        elif frame and found:
            found[-1].frames.append(plain(frame[1]))
    return found


def tasks_of_sysrq(text):
    """The form of sysrq-w and sysrq-t; frames that the kernel is not sure of (?) are left out."""
    found = []
    for line in text.splitlines():
        line = re.sub(r"^(<\d+>)?\[[ \d.]+\] ?", "", line)
        head = re.match(r"task:(\S+) +state:([A-Z]) .*\bpid:(\d+)", line)
        frame = re.match(r" ([\w.]+)\+0x[\da-f]+/0x[\da-f]+", line)
        if head:
            found.append(Task(int(head[3]), head[1], head[2]))
        elif frame and found:
            found[-1].frames.append(plain(frame[1]))
    return found


def plain(function):
    """Without what the compiler appends to the name of a copy."""
    return re.sub(r"\.(isra|constprop|part|cold)(\.\d+)?", "", function)


def read(folder, name):
    """'' when it is not there: then no judgement holds."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def numbers(text):
    """{name: number} of lines `name number`."""
    found = re.findall(r"^([\w-]+) (-?\d+)$", text, re.M)
    return {name: int(value) for name, value in found}
