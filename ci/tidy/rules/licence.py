# SPDX-License-Identifier: Apache-2.0
"""The first line (the second after #!) names the licence, and the right one for its place."""

from source import Finding

NAME = "licence"
MARK = "SPDX-License-" + "Identifier:"
APACHE, GPL = "Apache-2.0", "GPL-2.0-only"
# Read by kernel-side code and by programs: either side may take it under its own licence.
SHARED_ABI = {"workloads/ffs/ffs_ioctl.h":
              "(GPL-2.0-only WITH Linux-syscall-note) OR Apache-2.0"}
ALSO = (".toml", ".yml", ".yaml", ".service", ".timer", "Kbuild", "Makefile")


def check(tree):
    for source in tree.values():
        if not (source.is_program_text or source.path.endswith(ALSO)) or not source.lines:
            continue
        if "/testdata/" in source.path:
            continue
        number = 2 if source.shebang else 1
        line = source.lines[number - 1] if len(source.lines) >= number else ""
        wanted = licence_of(source.path)
        found = line.split(MARK, 1)[1].strip(" */") if MARK in line else ""
        if found == GPL and only_for_bpf(tree, source):
            continue
        if found != wanted:
            yield Finding(source.path, number, NAME,
                          f"licence is '{found or 'not named'}'; write '{MARK} {wanted}' here")


def only_for_bpf(tree, source):
    """A header of BPF programs and of nothing else may be theirs in licence too."""
    users = [each for each in tree.values() if f'"{source.path}"' in each.text and each.is_cpp]
    return source.path.endswith(".h") and bool(users) and all(
        licence_of(each.path) == GPL or each.path.endswith(".bpf.h") for each in users)


def licence_of(path):
    if path in SHARED_ABI:
        return SHARED_ABI[path]
    return GPL if path.startswith("kmod-stub/") or path.endswith(".bpf.c") else APACHE


GOOD = [
    {"harness/run/a.cpp": f"// {MARK} {APACHE}\n"},
    {"ci/test": f"#!/usr/bin/env bash\n# {MARK} {APACHE}\n"},
    {"harness/probe/a.bpf.c": f"// {MARK} {GPL}\n"},
    {"kmod-stub/a.h": f"/* {MARK} {GPL} */\n"},
    {"workloads/ffs/ffs_ioctl.h":
     f"/* {MARK} (GPL-2.0-only WITH Linux-syscall-note) OR Apache-2.0 */\n"},
    {"harness/probe/a.h": f"// {MARK} {GPL}\n",
     "harness/probe/a.bpf.c": f'// {MARK} {GPL}\n#include "harness/probe/a.h"\n'},
    {"README.md": "# hello\n"},
]
BAD = [
    {"harness/probe/a.h": f"// {MARK} {GPL}\n",
     "harness/probe/a.bpf.c": f'// {MARK} {GPL}\n#include "harness/probe/a.h"\n',
     "harness/probe/a.cpp": f'// {MARK} {APACHE}\n#include "harness/probe/a.h"\n'},
    {"harness/run/a.cpp": "#pragma once\n"},
    {"ci/test": "#!/usr/bin/env bash\nset -u\n"},
    {"harness/probe/a.bpf.c": f"// {MARK} {APACHE}\n"},
    {"harness/run/a.cpp": f"// {MARK} {GPL}\n"},
    {"kmod-stub/Kbuild": f"# {MARK} {APACHE}\n"},
    {"workloads/ffs/ffs_ioctl.h": f"// {MARK} {APACHE}\n"},
    {"harness/explain/fs/ffs.toml": 'module = "ffs"\n'},
]
