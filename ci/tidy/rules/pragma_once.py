# SPDX-License-Identifier: Apache-2.0
"""Every header can be included twice."""

import re

from source import Finding

NAME = "pragma-once"
# C headers shared with a kernel use the kernel's guards.
GUARD = re.compile(r"^#pragma once$|^#ifndef (\w+)\n#define \1\b", re.M)


def check(tree):
    for source in tree.values():
        if source.path.endswith(".h") and not GUARD.search(source.code):
            yield Finding(source.path, 1, NAME, "no #pragma once; write it after the first comment")


GOOD = [
    {"harness/run/a.h": "// x\n#pragma once\n"},
    {"kmod-stub/a.h": "#ifndef FFS_A_H\n#define FFS_A_H\n#endif\n"},
]
BAD = [
    {"harness/run/a.h": "// #pragma once\nint a;\n"},
    {"harness/run/a.h": "#ifndef A\n#define B\n#endif\n"},
]
