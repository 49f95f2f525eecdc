# SPDX-License-Identifier: Apache-2.0
"""What is unfinished belongs in an issue, not in the tree."""

import re

from source import Finding

NAME = "leftover"
WORDS = ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")
PATTERN = re.compile(r"\b(" + "|".join(WORDS) + r")\b")


def check(tree):
    for source in tree.values():
        if "/testdata/" in source.path or source.path.startswith("LICENSE"):
            continue
        for number, line in enumerate(source.lines, 1):
            match = PATTERN.search(line)
            if match:
                yield Finding(source.path, number, NAME,
                              f"{match.group(1)} left: finish it, or delete it and open an issue")


GOOD = [{"harness/run/a.cpp": "// a hack is spelled in small letters\n"}]
BAD = [{"README.md": f"{word}: later\n"} for word in WORDS]
