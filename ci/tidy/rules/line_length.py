# SPDX-License-Identifier: Apache-2.0
"""At most 100 columns. CMake is left out: its lists read better on one line."""

from source import Finding

NAME = "line-length"
LIMIT = 100


def check(tree):
    for source in tree.values():
        if not source.is_program_text or source.is_cmake:
            continue
        for number, line in enumerate(source.lines, 1):
            if len(line) > LIMIT:
                yield Finding(source.path, number, NAME,
                              f"{len(line)} columns, at most {LIMIT}; break the line")


GOOD = [
    {"harness/run/a.cpp": "x" * 100 + "\n"},
    {"harness/run/a.cpp": "\u2026" * 100 + "\n"},
    {"README.md": "x" * 300 + "\n"},
]
BAD = [
    {"harness/run/a.cpp": "x" * 101 + "\n"},
    {"ci/a.py": "x" * 101 + "\n"},
]
