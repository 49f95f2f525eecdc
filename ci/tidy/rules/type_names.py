# SPDX-License-Identifier: Apache-2.0
"""A type of a header has a name of its own: two of one name in one namespace, linked into one
program, have each other's constructors and layouts (one-definition rule), and no tool says so."""

import re

from source import Finding

NAME = "type-names"
# Not a declaration alone, nor a type within another one.
TYPE = re.compile(r"^(?:struct|class|union)\s+(?:alignas\([^)]*\)\s*)?(?:\[\[\w+\]\]\s*)?"
                  r"(\w+)[^;{]*\{", re.M)


def check(tree):
    first = {}
    for path in sorted(tree):
        source = tree[path]
        if not path.endswith(".h") or path.startswith("kmod-stub/"):
            continue
        for found in TYPE.finditer(source.code):
            name = found.group(1)
            other = first.setdefault(name, path)
            if other != path:
                line = source.code.count("\n", 0, found.start()) + 1
                yield Finding(path, line, NAME, f"{name} is a type of {other} too; rename one")


GOOD = [
    {"harness/run/a.h": "struct A {\n  struct In { int a; };\n};\n",
     "harness/run/b.h": "struct A;\nclass B : public A {\n};\n"},
    {"harness/run/a.h": "struct A {};\n", "kmod-stub/a.h": "struct A {};\n"},
]
BAD = [
    {"harness/run/a.h": "struct A {\n};\n", "workloads/b.h": "class A final : B {\n};\n"},
    {"harness/run/a.h": "struct alignas(64) A {\n};\n", "workloads/b.h": "struct A\n{\n};\n"},
]
