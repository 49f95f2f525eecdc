# SPDX-License-Identifier: Apache-2.0
"""What stallproof sees of the reported stall on this kernel, as a column of
harness/probe/KERNELS.md: measured by making the stall and looking at what the snapshot and the
explanation hold. `--write` puts the columns of this kernel into the file; without it the file is
compared with what is seen."""

import argparse
import os
import sys

import old_kernel
import program
from checks import Checks
from machine import clean_machine, look
from program import TOP, Workspace, run

FILE = os.path.join(TOP, "harness/probe/KERNELS.md")
BEGIN, END = "<!-- made by ci/measure/kernel_table.py -->", "<!-- end -->"
ROWS = ("states of tasks", "stacks of sleeping tasks", "address spaces of tasks",
        "mmap_lock: queue in its order", "mmap_lock: who holds it", "page fault on a stack",
        "FUSE requests and servers", "circle", "class of the reported stall", "kernel log")
NOT_MEASURED = ("6.1 (Debian 12)", "3.10")


def facts(run_dir):
    """{row: what was seen}, from one incident."""
    incident = os.path.join(run_dir, "incidents/001")
    snapshot = program.read_json(os.path.join(incident, "snapshot.json")) or {}
    explanation = program.read_json(os.path.join(incident, "explanation.json")) or {}
    tasks, locks = snapshot.get("tasks", []), snapshot.get("locks", [])
    waiting = [lock for lock in locks if lock["waiters"]]
    holders = [holder["certainty"] for lock in locks for holder in lock["holders"]]
    certainties = sorted({edge["certainty"] for edge in explanation.get("edges", [])
                          if edge["kind"] == "held_by"})
    log = program.read_text(os.path.join(incident, "kmsg.txt"))
    return {
        "states of tasks": yes(any(task["state"] in "SD" for task in tasks)),
        "stacks of sleeping tasks": yes(any(task["stack"] for task in tasks)),
        "address spaces of tasks": yes(any(task["mm"] for task in tasks)),
        "mmap_lock: queue in its order": yes(any(lock["queue_known"] for lock in waiting)),
        "mmap_lock: who holds it": (holders or certainties or ["no"])[0],
        "page fault on a stack": yes(any("fault" in task for task in tasks)),
        "FUSE requests and servers": yes(any(each["requests"] for each in
                                             snapshot.get("fuse", []))),
        "circle": yes(explanation.get("cycle")),
        "class of the reported stall": explanation.get("class", "none"),
        "kernel log": yes("] " in log or os.path.exists("/dev/kmsg")),
    }


def yes(value):
    return "yes" if value else "no"


def measured(checks, workspace):
    """{column: facts} for this kernel, with and without BPF."""
    release = ".".join(os.uname().release.split(".")[:2])
    columns = {}
    for name, prepare in ((f"{release}, BPF", None),
                          (f"{release}, calls of 3.10 only", old_kernel.become_old)):
        before = look()
        ended = run(["repro", "mmap-lock-fault"], workspace, seconds=40, preexec_fn=prepare)
        checks.check(f"{name}: the stall is made", ended.code == 0, ended.describe())
        checks.all(f"{name}: machine as before", clean_machine(before, ended))
        columns[name] = facts(ended.run_dir)
    return columns


def table(columns):
    names = [*columns, *NOT_MEASURED]
    lines = ["| what is seen | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for row in ROWS:
        cells = [columns[name][row] if name in columns else "not measured" for name in names]
        lines.append("| " + " | ".join([row, *cells]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with Checks("kernel_table", 120) as checks:
        workspace = Workspace()
        checks.at_end(workspace.remove)
        columns = measured(checks, workspace)
        text = program.read_text(FILE)
        head, rest = text.split(BEGIN, 1)
        made = f"{BEGIN}\n\n{table(columns)}\n\n{END}"
        if options.write:
            with open(FILE, "w", encoding="utf-8") as stream:
                stream.write(head + made + rest.split(END, 1)[1])
        elif next(iter(columns)) in text:
            checks.check("the table says what is seen", made in text, table(columns))
        else:
            checks.skip("the table", f"it holds no column of {next(iter(columns))}")
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
