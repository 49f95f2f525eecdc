# SPDX-License-Identifier: Apache-2.0
"""One idea per file: a warning over 400 lines, a failure over 450."""

from source import Finding

NAME = "file-length"
WARN, FAIL = 400, 450


def check(tree):
    for source in tree.values():
        count = len(source.lines)
        if source.is_program_text and count > WARN:
            yield Finding(source.path, count, NAME,
                          f"{count} lines, at most {WARN}; move one of its ideas to its own file",
                          warning=count <= FAIL)


GOOD = [
    {"harness/run/a.cpp": "int a;\n" * 400},
    {"harness/detect/testdata/log.txt": "a\n" * 5000},
]
BAD = [
    {"harness/run/a.cpp": "int a;\n" * 401},
    {"ci/a.sh": "true\n" * 451},
]
