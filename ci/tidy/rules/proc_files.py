# SPDX-License-Identifier: Apache-2.0
"""No read of the /proc files that take the target's mmap_lock: the observer would hang with it."""

import re

from source import Finding, line_of

NAME = "proc-file"
# A literal that ends in the file's name is a path being built; /proc/cmdline is the kernel's own.
PATTERN = re.compile(r'"(?!/proc/cmdline")(?:[^"\n]*/)'
                     r'(cmdline|environ|maps|smaps|smaps_rollup|numa_maps|pagemap|mem)"')


def check(tree):
    for source in tree.values():
        if not source.is_cpp or source.is_test:
            continue
        if not source.path.startswith(("harness/", "workloads/")):
            continue
        for match in PATTERN.finditer(source.code_and_strings):
            yield Finding(source.path, line_of(source.text, match.start()), NAME,
                          f"/proc/PID/{match.group(1)} takes mmap_lock and hangs in the stall we "
                          "look at; use status, comm, schedstat or a BPF iterator")


GOOD = [
    {"harness/probe/a.cpp": 'open("/proc/self/status"); // "/proc/1/maps"\n'},
    {"harness/probe/a.cpp": 'read_file("/proc/cmdline"); json["maps"] = 1;\n'},
    {"harness/explain/a.cpp": 'say("reads of /proc/PID/cmdline hang");\n'},
    {"harness/probe/a_test.cpp": 'open("/proc/1/maps");\n'},
]
BAD = [{"harness/probe/a.cpp": text} for text in (
    'open("/proc/1/cmdline");\n', 'auto p = dir + "/environ";\n',
    'f("/proc/{}/smaps_rollup", p);\n',
    'open("/proc/self/mem");\n', 'open("/proc/1/task/2/numa_maps");\n')]
