# SPDX-License-Identifier: Apache-2.0
"""Paths of one person's machine have no meaning on another."""

import re

from source import Finding

NAME = "machine-path"
# The brackets keep this file from matching itself.
PATTERN = re.compile(r"(?<![\w.}*])/([h]ome/[a-z][\w-]*/|[w]ork/|[r]oot/|[U]sers/)")


def check(tree):
    for source in tree.values():
        if "/testdata/" in source.path:
            continue
        for number, line in enumerate(source.lines, 1):
            match = PATTERN.search(line)
            if match:
                yield Finding(source.path, number, NAME,
                              f"{match.group().strip()} is a place on one machine; make it "
                              "relative, a parameter or an example under /srv")


GOOD = [
    {"ci/a.sh": 'cd "$root/work/x"\n'},
    {"README.md": "see workloads/ and /srv/ffs\n"},
]
BAD = [{"ci/a.sh": f"cd /{place}x\n"} for place in ("home" + "/me/", "work" + "/", "root" + "/")]
