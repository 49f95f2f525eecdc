# SPDX-License-Identifier: Apache-2.0
"""Run by drgn (`drgn -c VMCORE -s VMLINUX [-s MODULE.ko] THIS`): the stack of every task that does
not run, as JSON {pid: [function, …]}, innermost first, without the frames that were inlined and
without those of user space, of which drgn shows the first."""

import json

from drgn.helpers.linux.pid import for_each_task

KERNEL_HALF = 0xff00000000000000

stacks = {}
for task in for_each_task(prog):  # noqa: F821  drgn's own name for the program it was given
    pid = task.pid.value_()
    if task.on_cpu.value_() or pid == 0:
        continue
    names = []
    for frame in prog.stack_trace(task):  # noqa: F821
        if frame.is_inline or frame.pc < KERNEL_HALF:
            continue
        try:
            names.append(frame.symbol().name)
        except LookupError:
            names.append(frame.name or hex(frame.pc))
    stacks[pid] = names
print(json.dumps(stacks))
