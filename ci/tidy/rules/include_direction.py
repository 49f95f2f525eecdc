# SPDX-License-Identifier: Apache-2.0
"""Includes go one way: base <- board <- {workloads, probe} <- detect <- explain <- run <- cmd."""

import re

from source import Finding, line_of

NAME = "include-direction"

# Folder: what it may include besides itself.
MAY_INCLUDE = {
    "harness/base": "",
    "harness/board": "harness/base",
    "workloads": "harness/base harness/board",
    "harness/probe": "harness/base harness/board",
    "harness/detect": "harness/base harness/board harness/probe",
    # explain must not know our own targets: a stranger's stall has to read the same.
    "harness/explain": "harness/base harness/board harness/probe harness/detect",
    "harness/capture": "harness/base harness/board harness/probe harness/detect harness/explain "
                       "harness/store",
    # A scenario is a plan that run carries out, not code that runs one.
    "harness/scenario": "harness/base harness/board workloads",
    "harness/run": "harness/base harness/board workloads harness/probe harness/detect "
                   "harness/explain harness/capture harness/scenario harness/store harness/sink "
                   "harness/gate",
    # These see events, verdicts and explanations, nothing else of a run.
    "harness/store": "harness/base EVENTS",
    "harness/sink": "harness/base harness/store harness/explain EVENTS",
    "harness/gate": "harness/base harness/store EVENTS",
    # Many nodes' results: judged as one run's are, shown as one run's are.
    "harness/merge": "harness/base harness/store harness/gate harness/sink harness/explain",
    "harness/cmd": "ANY",
}
EVENTS = re.compile(r"^harness/[a-z]+/(\w+_)?(events?|verdicts?)(_\w+)?\.h$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def check(tree):
    for source in tree.values():
        folder = folder_of(source.path)
        if folder is None or not source.is_cpp:
            continue
        for match in INCLUDE.finditer(source.code_and_strings):
            problem = judge(folder, match.group(1))
            if problem:
                yield Finding(source.path, line_of(source.text, match.start()), NAME, problem)


def judge(folder, included):
    if included.endswith(".skel.h"):  # generated beside its user
        return None
    target = folder_of(included)
    if target is None:
        return f'"{included}" is no path from the repository root; write "{folder}/…" in full'
    allowed = MAY_INCLUDE[folder].split()
    if target == folder or target in allowed or "ANY" in allowed:
        return None
    if "EVENTS" in allowed and EVENTS.match(included):
        return None
    return (f'{folder} may not include "{included}" (only: {MAY_INCLUDE[folder] or "itself"}); '
            "move what both need to the left, or pass it in as data")


def folder_of(path):
    parts = path.split("/")
    for folder in ("/".join(parts[:2]), parts[0]):
        if folder in MAY_INCLUDE and len(parts) > folder.count("/") + 1:
            return folder
    return None


GOOD = [
    {"harness/detect/a.cpp": '#include "harness/probe/view.h"\n#include <fmt/core.h>\n'},
    {"workloads/ffs/a.cpp": '#include "workloads/workload.h"\n#include "harness/board/board.h"\n'},
    {"harness/sink/a.cpp": '#include "harness/run/run_event.h"\n'},
    {"harness/gate/a.cpp": '#include "harness/run/verdict.h"\n'},
    {"harness/probe/a.cpp": '#include "lock_iter.skel.h"\n// #include "harness/cmd/main.h"\n'},
    {"harness/cmd/a.cpp": '#include "harness/gate/gate.h"\n'},
]
BAD = [
    {"harness/base/a.h": '#include "harness/board/board.h"\n'},
    {"harness/probe/a.h": '#include "workloads/workload.h"\n'},
    {"harness/explain/a.cpp": '#include "workloads/ffs/ffs_ioctl.h"\n'},
    {"harness/sink/a.cpp": '#include "harness/run/supervisor.h"\n'},
    {"harness/detect/a.cpp": '#include "detector.h"\n'},
]
