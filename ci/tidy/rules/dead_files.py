# SPDX-License-Identifier: Apache-2.0
"""A .cpp or BPF program that no CMakeLists.txt builds is read by people and by nobody else."""

import posixpath
import re

from source import Finding

NAME = "dead-file"


def check(tree):
    for source in tree.values():
        if not source.path.startswith(("harness/", "workloads/")):
            continue
        if not source.path.endswith((".cpp", ".bpf.c")):
            continue
        lists, relative = nearest_lists(tree, source.path)
        pattern = r"(?<![\w./-])" + re.escape(relative) + r"(?![\w.])"
        if lists is None or not re.search(pattern, lists.text):
            yield Finding(source.path, 1, NAME,
                          "named in no CMakeLists.txt of its folder or above; add it or delete it")


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
]
BAD = [
    {"harness/run/CMakeLists.txt": "sp_library(x SOURCES aa.cpp)\n", "harness/run/a.cpp": ""},
    {"harness/run/a.cpp": ""},
    {"harness/probe/CMakeLists.txt": "sp_bpf(x a.bpf.cpp)\n", "harness/probe/a.bpf.c": ""},
]
