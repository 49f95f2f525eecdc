# SPDX-License-Identifier: Apache-2.0
"""A .cpp or BPF program that no CMakeLists.txt builds is read by people and by nobody else."""

import fnmatch
import posixpath
import re

from source import Finding

NAME = "dead-file"
# sp_found(NAME PATTERN…) of the top CMakeLists.txt.
FOUND = re.compile(r"\bsp_found\((\w+)\s+([^)]+)\)")


def check(tree):
    for source in tree.values():
        if not source.path.startswith(("harness/", "workloads/")):
            continue
        if not source.path.endswith((".cpp", ".bpf.c")):
            continue
        lists, relative = nearest_lists(tree, source.path)
        if lists is None or not (is_named(lists.text, relative) or is_found(lists.text, relative)):
            yield Finding(source.path, 1, NAME,
                          "named in no CMakeLists.txt of its folder or above; add it or delete it")


def is_named(lists, relative):
    return re.search(r"(?<![\w./-])" + re.escape(relative) + r"(?![\w.])", lists)


def is_found(lists, relative):
    """Whether a pattern finds it, and the list that it is then in is used."""
    kind = "SOURCES"
    if relative.endswith("_test.cpp"):
        kind = "KERNEL_TESTS" if relative.endswith("_kernel_test.cpp") else "TESTS"
    for name, patterns in FOUND.findall(lists):
        if f"${{{name}_{kind}}}" in lists and any(
                fnmatch.fnmatchcase(relative, each) and relative.count("/") == each.count("/")
                for each in patterns.split()):
            return True
    return False


def nearest_lists(tree, path):
    folder = posixpath.dirname(path)
    while folder:
        lists = tree.get(folder + "/CMakeLists.txt")
        if lists is not None:
            return lists, posixpath.relpath(path, folder)
        folder = posixpath.dirname(folder)
    return None, path


GOOD = [
    {"harness/run/CMakeLists.txt": "sp_library(x SOURCES a.cpp)\n", "harness/run/a.cpp": ""},
    {"workloads/CMakeLists.txt": "sp_library(x SOURCES ffs/a.cpp)\n", "workloads/ffs/a.cpp": ""},
    {"harness/probe/CMakeLists.txt": "sp_bpf(x a.bpf.c)\n", "harness/probe/a.bpf.c": ""},
    {"harness/run/CMakeLists.txt": "sp_found(x *.cpp a/*.cpp)\nsp_test(y SOURCES ${x_TESTS})\n",
     "harness/run/b_test.cpp": "", "harness/run/a/b_test.cpp": ""},
]
BAD = [
    {"harness/run/CMakeLists.txt": "sp_library(x SOURCES aa.cpp)\n", "harness/run/a.cpp": ""},
    {"harness/run/a.cpp": ""},
    {"harness/probe/CMakeLists.txt": "sp_bpf(x a.bpf.cpp)\n", "harness/probe/a.bpf.c": ""},
    {"harness/run/CMakeLists.txt": "sp_found(x *.cpp)\nsp_library(y SOURCES ${x_SOURCES})\n",
     "harness/run/a_kernel_test.cpp": ""},
    {"harness/run/CMakeLists.txt": "sp_found(x *.cpp)\nsp_library(y SOURCES ${x_SOURCES})\n",
     "harness/run/a/b.cpp": ""},
]
